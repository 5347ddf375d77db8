internal import Notation

/// A project's key: 128 random bits as 32 lower-case hex digits.
enum APIKey {
    /// A new key, from the kernel's random numbers. The corresponding C function is `getrandom`.
    static func generate() -> String {
        var random = SystemRandomNumberGenerator()
        return UInt128.random(in: .min ... .max, using: &random).hexDigits
    }

    /// A key as it is stored, nil when it is not 32 hex digits.
    static func normalized(_ text: String) -> String? {
        guard text.utf8.count == 32, text.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        return text.lowercased()
    }

    /// A key that a person has given.
    ///
    /// - Throws: `CommandError` when it is none.
    static func given(_ text: String) throws(CommandError) -> String {
        guard let key = normalized(text) else {
            throw CommandError(.dataError, "a key is 32 hex digits; see mesher key list PROJECT")
        }
        return key
    }
}
