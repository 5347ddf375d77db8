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
        let name = header.trimmed(from: 0, to: header.count)
        if name.isEmpty || name.equalsIgnoringCase("identity") || name.equalsIgnoringCase("utf-8") { return .identity }
        if name.equalsIgnoringCase("gzip") || name.equalsIgnoringCase("x-gzip") { return .gzip }
        if name.equalsIgnoringCase("deflate") { return .deflate }
        if name.equalsIgnoringCase("br") { return .brotli }
        if name.equalsIgnoringCase("zstd") { return .zstandard }
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
}
