/// The fields `sentry_key=K`, `sentry_version=7`, … of an authorization header, parted by commas or spaces, or of a query,
/// parted by `&`: in any order and case, with or without quotes.
struct SentryFields {
    private let text: UnsafeRawBufferPointer
    private let isQuery: Bool

    init(header: UnsafeRawBufferPointer) {
        text = header
        isQuery = false
    }

    init(query: UnsafeRawBufferPointer) {
        text = query
        isQuery = true
    }

    /// The value of the first field of a name, which ends with an equals sign and is written in small letters.
    subscript(name: StaticString) -> UnsafeRawBufferPointer? {
        var position = 0
        while position < text.count {
            var end = position
            while end < text.count, !isSeparator(text[end]) { end += 1 }
            if text.startsIgnoringCase(at: position, with: name) {
                return unquoted(UnsafeRawBufferPointer(rebasing: text[(position + name.utf8CodeUnitCount)..<end]))
            }
            position = end + 1
        }
        return nil
    }

    private func isSeparator(_ byte: UInt8) -> Bool {
        isQuery ? byte == UInt8(ascii: "&") : byte == UInt8(ascii: ",") || UnsafeRawBufferPointer.isSpace(byte)
    }

    private func unquoted(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard value.count >= 2, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") else {
            return value
        }
        return UnsafeRawBufferPointer(rebasing: value[1..<(value.count - 1)])
    }
}
