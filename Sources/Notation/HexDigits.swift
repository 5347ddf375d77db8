extension FixedWidthInteger where Self: UnsignedInteger {
    /// All its hex digits in lower case, leading zeros too: 32 for a key, the id of an event or of a request.
    package var hexDigits: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: Self.bitWidth / 4 - digits.utf8.count) + digits
    }
}
