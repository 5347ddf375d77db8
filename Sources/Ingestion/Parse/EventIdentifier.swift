/// An event's id: 128 bits.
enum EventIdentifier {
    /// The id that is written as 32 hex digits or as a UUID with dashes (RFC 9562, section 4), in any case; nil for
    /// anything else.
    static func parse(_ text: UnsafeRawBufferPointer) -> UInt128? {
        let isDashed = text.count == 36
        guard isDashed || text.count == 32 else { return nil }
        var id: UInt128 = 0
        for index in 0..<text.count {
            let byte = text[index]
            if isDashed, index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = UnsafeRawBufferPointer.hexDigit(byte) else { return nil }
            id = id << 4 | UInt128(digit)
        }
        return id
    }
}
