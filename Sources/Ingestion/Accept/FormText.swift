/// Text in a query as browsers encode it, application/x-www-form-urlencoded.
enum FormText {
    /// The bytes that a value stands for: `+` is a space, `%XX` a byte. A percent sign that begins no byte is itself.
    static func decode(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(value.count)
        var position = 0
        while position < value.count {
            let byte = value[position]
            if byte == UInt8(ascii: "%"), position + 2 < value.count,
                let high = UnsafeRawBufferPointer.hexDigit(value[position + 1]),
                let low = UnsafeRawBufferPointer.hexDigit(value[position + 2])
            {
                decoded.append(high << 4 | low)
                position += 3
            } else {
                decoded.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
                position += 1
            }
        }
        return decoded
    }

    /// The same as text that PostgreSQL accepts: UTF-8 without U+0000, repaired where necessary and trimmed; nil when
    /// nothing is left.
    static func text(_ value: UnsafeRawBufferPointer) -> [UInt8]? {
        let repaired = Array(String(decoding: decode(value), as: UTF8.self).utf8)
        let isBlank: (UInt8) -> Bool = { $0 <= 0x20 }
        let trimmed = repaired.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        var text: [UInt8] = []
        for byte in trimmed { if byte == 0 { text += Array("\u{fffd}".utf8) } else { text.append(byte) } }
        return text.isEmpty ? nil : text
    }
}
