/// The fields `sentry_key=K`, `sentry_version=7`, … of an authorization header or a query, in any order and case. Commas or
/// spaces separate those of a header, `&` those of a query. In a header a value may be in quotes, have spaces around its
/// equals sign, and be several words.
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

    /// The value of the first field of a name, which is written in small letters.
    subscript(name: StaticString) -> UnsafeRawBufferPointer? {
        var position = 0
        while position < text.count {
            if text.startsIgnoringCase(at: position, with: name),
                let start = valueStart(behind: position + name.utf8CodeUnitCount)
            {
                return unquoted(text.trimmed(from: start, to: valueEnd(from: start)))
            }
            while position < text.count, !isSeparator(text[position]) { position += 1 }
            position += 1
        }
        return nil
    }

    /// Where the value of a name begins; nil when no equals sign follows.
    private func valueStart(behind name: Int) -> Int? {
        let equals = isQuery ? name : pastSpaces(name)
        guard equals < text.count, text[equals] == UInt8(ascii: "=") else { return nil }
        return isQuery ? equals + 1 : pastSpaces(equals + 1)
    }

    /// Where a value ends: at a separator, but not at spaces between its words.
    private func valueEnd(from start: Int) -> Int {
        var position = start
        while position < text.count {
            guard isSeparator(text[position]) else {
                position += 1
                continue
            }
            let next = pastSpaces(position)
            if isQuery || next == position || isField(next) { return position }
            position = next
        }
        return position
    }

    /// Whether a field's name and an equals sign stand at a position.
    private func isField(_ start: Int) -> Bool {
        var position = start
        while position < text.count, Self.isName(text[position]) { position += 1 }
        let equals = pastSpaces(position)
        return position > start && equals < text.count && text[equals] == UInt8(ascii: "=")
    }

    private func pastSpaces(_ start: Int) -> Int {
        var position = start
        while position < text.count, UnsafeRawBufferPointer.isSpace(text[position]) { position += 1 }
        return position
    }

    private func isSeparator(_ byte: UInt8) -> Bool {
        isQuery ? byte == UInt8(ascii: "&") : byte == UInt8(ascii: ",") || UnsafeRawBufferPointer.isSpace(byte)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        UnsafeRawBufferPointer.isLetter(byte) || UnsafeRawBufferPointer.isDigit(byte) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "-")
    }

    private func unquoted(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard value.count >= 2, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") else {
            return value
        }
        return UnsafeRawBufferPointer(rebasing: value[1..<(value.count - 1)])
    }
}
