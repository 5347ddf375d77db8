internal import StorageChannel

/// The longest texts, in characters (Unicode scalars), for events of Sentry SDKs: the same as Sentry's. The payload
/// keeps the whole.
enum TextLimit {
    static let message = bound(of: .message)
    static let release = bound(of: .release)
    static let environment = bound(of: .environment)
    static let sdk = bound(of: .sdkName)
    static let tagKey = 200
    static let tagValue = 200

    private static func bound(of column: EventRecord.Column) -> Int { column.declaration.bound ?? .max }
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
