extension UnsafeRawBufferPointer {
    /// Valid UTF-8 without the white space around it.
    func trimmingWhiteSpace() -> UnsafeRawBufferPointer {
        // Most texts begin and end with a letter or a digit, and need no further check.
        if let first, let last, Self.isPlain(first), Self.isPlain(last) { return self }
        return trimmingUnicodeWhiteSpace()
    }

    /// Whether a byte is a visible character of its own.
    static func isPlain(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F }

    /// The same, looked at character by character.
    func trimmingUnicodeWhiteSpace() -> UnsafeRawBufferPointer {
        var rest = self[...]
        while let size = Self.leadingWhiteSpace(of: rest) { rest = rest.dropFirst(size) }
        while let size = Self.trailingWhiteSpace(of: rest) { rest = rest.dropLast(size) }
        return UnsafeRawBufferPointer(rebasing: rest)
    }

    /// The size of the white space that a text begins with; nil when there is none.
    static func leadingWhiteSpace(of text: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let first = text.first else { return nil }
        let size = first < 0x80 ? 1 : first < 0xE0 ? 2 : 3
        return isWhiteSpace(text.prefix(size)) ? size : nil
    }

    private static func trailingWhiteSpace(of text: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let last = text.last else { return nil }
        guard last >= 0x80 else { return isWhiteSpace(text.suffix(1)) ? 1 : nil }
        if isWhiteSpace(text.suffix(2)) { return 2 }
        return isWhiteSpace(text.suffix(3)) ? 3 : nil
    }

    /// Whether these bytes are one character of white space.
    private static func isWhiteSpace(_ character: Slice<UnsafeRawBufferPointer>) -> Bool {
        // The length bits of the first byte do not count.
        var scalar: UInt32 = 0
        switch (character.count, character.first ?? 0) {
        case (1, let byte): return byte < 0x80 && UInt32(byte).isWhiteSpace
        case (2, 0xC0...0xDF): scalar = UInt32(character[character.startIndex] & 0x1F)
        case (3, 0xE0...0xEF): scalar = UInt32(character[character.startIndex] & 0x0F)
        default: return false
        }
        for byte in character.dropFirst() { scalar = scalar << 6 | UInt32(byte & 0x3F) }
        return scalar.isWhiteSpace
    }
}

extension UInt32 {
    /// Whether a character of this number is white space, Unicode's `White_Space`.
    var isWhiteSpace: Bool {
        switch self {
        case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }
}
