/// `Sec-WebSocket-Key` and the answer to it, RFC 6455, sections 4.1 and 4.2.2.
enum AcceptKey {
    private static let identifier: StaticString = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// Whether this is base64 of exactly 16 bytes.
    static func isNonce(_ key: UnsafeRawBufferPointer) -> Bool {
        guard key.count == 24, key[22] == UInt8(ascii: "="), key[23] == UInt8(ascii: "=") else { return false }
        return key[..<22].allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "+"), UInt8(ascii: "/"): true
            default: false
            }
        }
    }

    /// A new, unpredictable key.
    static func nonce() -> [UInt8] {
        base64((0..<16).map { _ in UInt8.random(in: .min ... .max) })
    }

    /// What the server answers to a key.
    static func accept(_ key: UnsafeRawBufferPointer) -> String {
        var text = Array(key)
        text.append(
            contentsOf: UnsafeRawBufferPointer(start: identifier.utf8Start, count: identifier.utf8CodeUnitCount))
        return String(decoding: base64(SHA1.digest(text)), as: UTF8.self)
    }

    /// RFC 4648, section 4.
    private static func base64(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var bits: UInt32 = 0
            for index in 0..<3 { bits = bits << 8 | (index < count ? UInt32(bytes[start + index]) : 0) }
            for index in 0..<4 {
                let sextet = Int(bits >> UInt32(18 - 6 * index) & 0x3F)
                text.append(index <= count ? alphabet.utf8Start[sextet] : UInt8(ascii: "="))
            }
        }
        return text
    }
}
