/// A project's key: 128 random bits as 32 lower-case hex digits.
enum APIKey {
    /// A new key, from the kernel's random numbers. The corresponding C function is `getrandom`.
    static func generate() -> String {
        var random = SystemRandomNumberGenerator()
        let digits = String(random.next() as UInt64, radix: 16).leftPadded(to: 16)
        return digits + String(random.next() as UInt64, radix: 16).leftPadded(to: 16)
    }

    /// A key as it is stored, nil when it is not 32 hex digits.
    static func normalized(_ text: String) -> String? {
        guard text.utf8.count == 32, text.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        return text.lowercased()
    }
}

extension String {
    fileprivate func leftPadded(to width: Int) -> String {
        String(repeating: "0", count: max(0, width - count)) + self
    }
}
