extension UnsafeRawBufferPointer {
    /// Valid UTF-8 without the white space around it, as Unicode has it (property `White_Space`).
    func trimmingWhiteSpace() -> UnsafeRawBufferPointer {
        var rest = self[...]
        while let size = Self.leadingWhiteSpace(of: rest) { rest = rest.dropFirst(size) }
        while let size = Self.trailingWhiteSpace(of: rest) { rest = rest.dropLast(size) }
        return UnsafeRawBufferPointer(rebasing: rest)
    }

    /// The size of the white space that a text begins with; nil when there is none.
    private static func leadingWhiteSpace(of text: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let first = text.first else { return nil }
        guard first >= 0x80 else { return isASCIIWhiteSpace(first) ? 1 : nil }
        let size = first < 0xE0 ? 2 : 3
        return isWhiteSpace(text.prefix(size)) ? size : nil
    }

    private static func trailingWhiteSpace(of text: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let last = text.last else { return nil }
        guard last >= 0x80 else { return isASCIIWhiteSpace(last) ? 1 : nil }
        return [2, 3].first { isWhiteSpace(text.suffix($0)) }
    }

    private static func isASCIIWhiteSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }

    /// Whether these bytes are one character of white space beyond ASCII: U+0085, U+00A0, U+1680, U+2000 to U+200A,
    /// U+2028, U+2029, U+202F, U+205F, U+3000.
    private static func isWhiteSpace(_ character: Slice<UnsafeRawBufferPointer>) -> Bool {
        var value: UInt32 = 0
        for byte in character { value = value << 8 | UInt32(byte) }
        switch value {
        case 0xC285, 0xC2A0, 0xE19A80, 0xE28080...0xE2808A, 0xE280A8, 0xE280A9, 0xE280AF, 0xE2819F, 0xE38080:
            return true
        default: return false
        }
    }
}
