internal import Glibc

/// A session's recent processor usage, in one word of the table of sessions. It halves every `halfLife`. A steady share
/// s of a processor converges to s × `lifetime`.
struct RecentUse {
    /// Nanoseconds.
    static let halfLife = 200e6

    /// When that was, in 2²⁰ ns of the monotonic clock in the upper half; microseconds in the lower one.
    let word: UInt64

    init(word: UInt64) {
        self.word = word
    }

    /// - Parameters:
    ///   - nanoseconds: that are used, whatever their age.
    ///   - now: nanoseconds of the monotonic clock.
    init(nanoseconds: Double, now: Int64) {
        let microseconds = UInt64(min(max(nanoseconds / 1e3, 0), Double(UInt32.max)))
        word = UInt64(Self.time(now)) << 32 | microseconds
    }

    /// What is left of it now, in nanoseconds.
    func nanoseconds(now: Int64) -> Double {
        let microseconds = word & UInt64(UInt32.max)
        guard microseconds > 0 else { return 0 }
        // The clock of another processor may be a little behind.
        let age = Int32(bitPattern: Self.time(now) &- UInt32(truncatingIfNeeded: word >> 32))
        return Double(microseconds) * 1e3 * exp2(-Double(max(age, 0)) * Double(1 << 20) / Self.halfLife)
    }

    private static func time(_ now: Int64) -> UInt32 { UInt32(truncatingIfNeeded: now >> 20) }
}
