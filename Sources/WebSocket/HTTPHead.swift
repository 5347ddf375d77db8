/// The head of an HTTP/1.1 message, checked against RFC 9112: a start line, fields, and the empty line. A view of bytes
/// that it does not own.
struct HTTPHead {
    let startLine: UnsafeRawBufferPointer
    /// The fields' lines, each with its CR LF.
    private let fields: UnsafeRawBufferPointer

    /// Nil when a line is not ended by CR LF, a name is no token, white space stands before a colon or begins a line, or a
    /// value holds control characters.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let end = Self.endOfLine(bytes, from: 0) else { return nil }
        startLine = UnsafeRawBufferPointer(rebasing: bytes[..<end])
        var position = end + 2
        fields = UnsafeRawBufferPointer(rebasing: bytes[position...])
        while let end = Self.endOfLine(bytes, from: position) {
            if end == position {
                guard end + 2 == bytes.count else { return nil }
                return
            }
            guard Self.split(UnsafeRawBufferPointer(rebasing: bytes[position..<end])) != nil else { return nil }
            position = end + 2
        }
        return nil
    }

    /// Calls `body` with the value of each field of a name, which is written in small letters.
    func forEach(_ name: StaticString, _ body: (UnsafeRawBufferPointer) -> Void) {
        var position = 0
        while let end = Self.endOfLine(fields, from: position), end > position {
            let line = UnsafeRawBufferPointer(rebasing: fields[position..<end])
            if let field = Self.split(line), field.name.equalsIgnoringCase(name) { body(field.value) }
            position = end + 2
        }
    }

    /// The value of the only field of a name, nil when there is none or more than one.
    func only(_ name: StaticString) -> UnsafeRawBufferPointer? {
        var value: UnsafeRawBufferPointer?
        var count = 0
        forEach(name) {
            value = $0
            count += 1
        }
        return count == 1 ? value : nil
    }

    func count(_ name: StaticString) -> Int {
        var count = 0
        forEach(name) { _ in count += 1 }
        return count
    }

    /// Whether the list that all fields of a name are has this element, in any case. The elements hold no quoted commas.
    func lists(_ name: StaticString, _ element: StaticString) -> Bool {
        var isThere = false
        forEach(name) { value in
            for part in value.split(separator: UInt8(ascii: ",")) {
                isThere = isThere || UnsafeRawBufferPointer(rebasing: part).trimmed.equalsIgnoringCase(element)
            }
        }
        return isThere
    }

    private static func split(
        _ line: UnsafeRawBufferPointer
    ) -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return nil }
        let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
        guard name.allSatisfy(HeaderElements.isTokenCharacter) else { return nil }
        let value = UnsafeRawBufferPointer(rebasing: line[(colon + 1)...]).trimmed
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else { return nil }
        return (name, value)
    }

    /// Where the next CR LF is; nil when there is none, or a CR or LF stands alone before it.
    private static func endOfLine(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var position = start
        while position < bytes.count {
            if bytes[position] == 0x0A { return nil }
            if bytes[position] == 0x0D {
                return position + 1 < bytes.count && bytes[position + 1] == 0x0A ? position : nil
            }
            position += 1
        }
        return nil
    }
}

extension UInt8 {
    var isSpace: Bool { self == 0x20 || self == 0x09 }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes are this text, which is written in small letters, in any case.
    func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            let byte = self[index]
            let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            if lower != text.utf8Start[index] { return false }
        }
        return true
    }

    /// Whether the bytes are exactly this text.
    func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && hasPrefix(text)
    }

    func hasPrefix(_ text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount where self[index] != text.utf8Start[index] { return false }
        return true
    }

    /// The bytes without the white space around them.
    var trimmed: UnsafeRawBufferPointer {
        var start = 0
        var end = count
        while start < end, self[start].isSpace { start += 1 }
        while end > start, self[end - 1].isSpace { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }
}
