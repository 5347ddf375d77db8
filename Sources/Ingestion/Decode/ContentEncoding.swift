/// How a body is compressed: a content coding of RFC 9110, section 8.4.
package enum ContentEncoding: CaseIterable, Sendable {
    case identity, gzip, deflate, brotli, zstandard

    /// The longest name that a refusal quotes.
    private static let longestEcho = 64

    /// The coding that a Content-Encoding header's value names, in any case, spaces around it ignored.
    ///
    /// No header, an empty one and `utf-8`, which some senders write there, mean `identity`; `x-gzip` is `gzip`
    /// (RFC 9110, section 8.4.1.3). More than one coding is not supported.
    package static func named(_ header: UnsafeRawBufferPointer?) throws(Refusal) -> ContentEncoding {
        guard let header else { return .identity }
        var start = 0
        var end = header.count
        while start < end, isSpace(header[start]) { start += 1 }
        while end > start, isSpace(header[end - 1]) { end -= 1 }
        let name = UnsafeRawBufferPointer(rebasing: header[start..<end])
        if name.isEmpty || matches(name, "identity") || matches(name, "utf-8") { return .identity }
        if matches(name, "gzip") || matches(name, "x-gzip") { return .gzip }
        if matches(name, "deflate") { return .deflate }
        if matches(name, "br") { return .brotli }
        if matches(name, "zstd") { return .zstandard }
        let printable = name.lazy.filter { (0x20...0x7E).contains($0) }.prefix(longestEcho)
        throw Refusal(
            .unsupportedEncoding, "unsupported content encoding: \(String(decoding: printable, as: UTF8.self))")
    }

    /// The coding's name in IANA's registry of content codings.
    package var name: StaticString {
        switch self {
        case .identity: "identity"
        case .gzip: "gzip"
        case .deflate: "deflate"
        case .brotli: "br"
        case .zstandard: "zstd"
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09
    }

    /// Whether `bytes` is `name` in any case; `name` is in lower case.
    private static func matches(_ bytes: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        guard bytes.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<bytes.count {
            let byte = bytes[index]
            let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            if lower != name.utf8Start[index] { return false }
        }
        return true
    }
}
