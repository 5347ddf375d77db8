/// JSON that is written piece by piece, RFC 8259.
struct JSONText {
    private(set) var bytes: [UInt8] = []

    init(reserving capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    mutating func literal(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ other: JSONText) {
        append(other.bytes[...])
    }

    mutating func append(_ text: ArraySlice<UInt8>) {
        bytes.append(contentsOf: text)
    }

    mutating func number(_ value: Int) {
        bytes.append(contentsOf: String(value).utf8)
    }

    /// 32 hex digits.
    mutating func hex(_ value: UInt128) {
        for shift in stride(from: 124, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> UInt128(shift)) & 0xf
            bytes.append(digit < 10 ? 0x30 &+ digit : 0x61 &+ digit &- 10)
        }
    }

    /// A string in quotes, escaped.
    mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                literal("\\u00")
                bytes.append(byte < 0x10 ? 0x30 : 0x31)
                let digit = byte & 0xf
                bytes.append(digit < 10 ? 0x30 &+ digit : 0x61 &+ digit &- 10)
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
