/// The alphabets of RFC 4648, sections 4 and 5.
enum Base64 {
    /// The six bits of a letter, nil for any other byte.
    static func sextet(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5a: byte &- 0x41
        case 0x61...0x7a: byte &- 0x61 &+ 26
        case 0x30...0x39: byte &- 0x30 &+ 52
        case 0x2b, 0x2d: 62
        case 0x2f, 0x5f: 63
        default: nil
        }
    }

    /// Decodes a whole body, ignoring white space; nil when it is not base64.
    static func decode(_ text: borrowing Body) -> Body? {
        var decoded = Body(count: text.count / 4 * 3 + 3)
        let count = decoded.withUnsafeMutableBytes { room in text.withUnsafeBytes { decode($0, into: room) } }
        guard let count else { return nil }
        decoded.truncate(to: count)
        return decoded
    }

    private static func decode(_ text: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Int? {
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        var count = 0
        var isPadded = false
        for byte in text {
            switch byte {
            case 0x20, 0x09, 0x0a, 0x0d: continue
            case UInt8(ascii: "="): isPadded = true
            default:
                guard !isPadded, let sextet = sextet(byte) else { return nil }
                bits = bits << 6 | UInt32(sextet)
                bitCount += 6
                guard bitCount >= 8 else { continue }
                bitCount -= 8
                room[count] = UInt8(truncatingIfNeeded: bits >> bitCount)
                count += 1
            }
        }
        return count
    }
}
