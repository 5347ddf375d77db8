/// A key: 128 bits, written as 32 hex digits.
package struct KeyID: Hashable, Sendable {
    package let value: UInt128
    package init(_ value: UInt128) { self.value = value }
}

/// What is known of a key.
package enum KeyState: UInt8, Sendable {
    case unknown = 0
    case known = 1
    /// It cannot be told now, because the keys were never read.
    case unavailable = 2
}
