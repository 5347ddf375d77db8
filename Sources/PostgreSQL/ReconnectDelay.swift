/// How long to wait before reconnecting: 100 ms after the first failure, doubling up to 2 s, and at random between half
/// and the whole of that, so that many hosts do not come back at the same moment.
package struct ReconnectDelay: Sendable {
    /// Nanoseconds.
    package static let first: Int64 = 100_000_000
    package static let longest: Int64 = 2_000_000_000

    private var ceiling = Self.first

    package init() {}

    /// The next delay in nanoseconds.
    package mutating func next(using generator: inout some RandomNumberGenerator) -> Int64 {
        defer { ceiling = min(ceiling * 2, Self.longest) }
        return Int64.random(in: ceiling / 2...ceiling, using: &generator)
    }

    /// Resets the delay, after a connection that worked.
    package mutating func reset() {
        ceiling = Self.first
    }
}
