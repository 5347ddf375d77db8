/// The content of a JSON string in the text: valid, with unresolved escapes.
struct EscapedText {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The first characters, at most this many.
    func prefix(characters limit: Int) -> UnsafeRawBufferPointer {
        guard bytes.count > limit else { return bytes }
        var end = 0
        var left = limit
        while end < bytes.count, left > 0 {
            end += character(at: end).size
            left -= 1
        }
        return UnsafeRawBufferPointer(rebasing: bytes[..<min(end, bytes.count)])
    }

    /// The same without white space around it.
    func trimmingWhiteSpace() -> EscapedText {
        guard let first = bytes.first, let last = bytes.last else { return self }
        // Most texts begin and end with a letter or a digit, and need no further check.
        if UnsafeRawBufferPointer.isPlain(first), UnsafeRawBufferPointer.isPlain(last),
            !bytes.contains(UInt8(ascii: "\\"))
        {
            return self
        }
        var start = 0
        var end = 0
        var position = 0
        while position < bytes.count {
            let (size, isWhiteSpace) = character(at: position)
            position = min(position + size, bytes.count)
            if !isWhiteSpace { end = position } else if end == 0 { start = position }
        }
        return EscapedText(UnsafeRawBufferPointer(rebasing: bytes[start..<max(start, end)]))
    }

    /// The character that begins at a position.
    private func character(at position: Int) -> (size: Int, isWhiteSpace: Bool) {
        let byte = bytes[position]
        guard byte == UInt8(ascii: "\\"), position + 1 < bytes.count else {
            let size = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            return (size, UnsafeRawBufferPointer.leadingWhiteSpace(of: bytes[position...]) != nil)
        }
        switch bytes[position + 1] {
        case UInt8(ascii: "u"): return unit(at: position + 2)
        case UInt8(ascii: "t"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "f"): return (2, true)
        default: return (2, false)
        }
    }

    /// The same of an escape whose digits begin at a position; the halves of a character beyond U+FFFF are two escapes.
    private func unit(at position: Int) -> (size: Int, isWhiteSpace: Bool) {
        var unit: UInt32 = 0
        for byte in bytes[position...].prefix(4) {
            unit = unit << 4 | UInt32(UnsafeRawBufferPointer.hexDigit(byte) ?? 0)
        }
        return (0xD800...0xDBFF).contains(unit) ? (12, false) : (6, unit.isWhiteSpace)
    }
}
