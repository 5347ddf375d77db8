internal import Glibc

/// Comparisons of bytes that came from outside with text of ours.
extension UnsafeRawBufferPointer {
    /// Whether the bytes are exactly this text.
    package func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && starts(at: 0, with: text)
    }

    /// Whether the bytes are this text, written in small letters, in any case.
    package func equalsIgnoringCase(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && startsIgnoringCase(at: 0, with: text)
    }

    /// Whether this text stands at a position, letter for letter.
    package func starts(at position: Int, with text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard position >= 0, length <= count - position else { return false }
        return length == 0 || baseAddress.map { memcmp($0 + position, text.utf8Start, length) } == 0
    }

    /// Whether this text, written in small letters, stands at a position in any case.
    package func startsIgnoringCase(at position: Int, with text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard position >= 0, length <= count - position else { return false }
        for offset in 0..<length where Self.lower(self[position + offset]) != text.utf8Start[offset] { return false }
        return true
    }

    /// The bytes between two positions, without the white space around them.
    package func trimmed(from start: Int, to end: Int) -> UnsafeRawBufferPointer {
        var start = start
        var end = end
        while start < end, Self.isSpace(self[start]) { start += 1 }
        while end > start, Self.isSpace(self[end - 1]) { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }

    package static func lower(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    }

    package static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09
    }

    /// White space as RFC 8259 has it.
    static func isJSONSpace(_ byte: UInt8) -> Bool {
        isSpace(byte) || byte == 0x0a || byte == 0x0d
    }

    package static func isDigit(_ byte: UInt8) -> Bool {
        byte >= 0x30 && byte <= 0x39
    }

    package static func isLetter(_ byte: UInt8) -> Bool {
        byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a
    }

    /// The value of a hex digit, nil for any other byte.
    package static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x41...0x46: byte &- 0x41 &+ 10
        case 0x61...0x66: byte &- 0x61 &+ 10
        default: nil
        }
    }

    /// The number that exactly 32 hex digits stand for, nil for anything else.
    package func hexNumber() -> UInt128? {
        guard count == 32 else { return nil }
        guard let high = hexNumber(0..<16), let low = hexNumber(16..<32) else { return nil }
        return UInt128(high) << 64 | UInt128(low)
    }

    private func hexNumber(_ range: Range<Int>) -> UInt64? {
        var value: UInt64 = 0
        for position in range {
            guard let digit = Self.hexDigit(self[position]) else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }
}

extension StaticString {
    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
    }
}
