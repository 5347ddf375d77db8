/// The longest text that a column takes of what Sentry's senders send, in characters (Unicode scalars): as Sentry has it.
/// The payload keeps the whole.
enum TextLimit {
    static let message = 8_192
    static let release = 250
    static let transaction = 200
    static let environment = 64
    static let serverName = 256
    static let logger = 64
    static let platform = 64
    static let sdk = 200
    static let tagKey = 200
    static let tagValue = 200
}

extension UnsafeRawBufferPointer {
    /// The first `limit` characters of valid UTF-8.
    func prefix(characters limit: Int) -> UnsafeRawBufferPointer {
        guard count > limit else { return self }
        var left = limit
        for index in indices where self[index] & 0xC0 != 0x80 {
            if left == 0 { return UnsafeRawBufferPointer(rebasing: self[..<index]) }
            left -= 1
        }
        return self
    }

    /// Whether valid UTF-8 has more than `limit` characters.
    func isLonger(than limit: Int) -> Bool {
        count > limit && prefix(characters: limit).count < count
    }
}
