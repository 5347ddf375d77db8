/// Checks that bytes which come in pieces are UTF-8 (RFC 3629): no surrogates, nothing overlong, nothing beyond U+10FFFF.
struct UTF8Validator {
    /// Bytes that the character which has begun still needs.
    private var missing = 0
    /// What its next byte may be.
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    /// Whether no character is cut in two.
    var isComplete: Bool { missing == 0 }

    /// Takes the next piece. False when it cannot be UTF-8, whatever may follow.
    mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        while position < bytes.count {
            if missing == 0 {
                position = Self.skipASCII(bytes, from: position)
                guard position < bytes.count else { return true }
                guard begin(bytes[position]) else { return false }
            } else {
                guard bytes[position] >= lowest, bytes[position] <= highest else { return false }
                missing -= 1
                lowest = 0x80
                highest = 0xBF
            }
            position += 1
        }
        return true
    }

    /// The first byte of a character that is not ASCII. Some narrow down what the second may be.
    private mutating func begin(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xC2...0xDF: missing = 1
        case 0xE0...0xEF: missing = 2
        case 0xF0...0xF4: missing = 3
        default: return false
        }
        switch byte {
        case 0xE0: lowest = 0xA0
        case 0xED: highest = 0x9F
        case 0xF0: lowest = 0x90
        case 0xF4: highest = 0x8F
        default: break
        }
        return true
    }

    private static func skipASCII(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start
        while bytes.count - position >= 8 {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            if word & 0x8080_8080_8080_8080 != 0 { break }
            position += 8
        }
        while position < bytes.count, bytes[position] < 0x80 { position += 1 }
        return position
    }
}
