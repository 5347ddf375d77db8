/// The processor time that decoding a body may take. It grows with the bytes so far, so that a slow body is noticed
/// soon.
///
/// Each bound is ten times what the costliest honest body takes; docs/reliability.md says what was measured.
package struct DecodingBudget: Equatable, Sendable {
    /// Nanoseconds that every body may take.
    package var base: Int64 = 5_000_000
    /// Nanoseconds for each byte as it was sent.
    package var perByteSent: Int64
    /// Nanoseconds for each decoded byte.
    package var perByteDecoded: Int64 = 20
    /// Maximum nanoseconds of any body.
    package var ceiling: Int64 = 4_000_000_000

    /// zlib's three formats.
    package static let deflate = DecodingBudget(perByteSent: 150)

    package init(perByteSent: Int64) {
        self.perByteSent = perByteSent
    }

    /// Whether so many nanoseconds are within the bound of a body of which so much was taken and came out.
    package func allows(_ spent: Int64, sent: Int, decoded: Int) -> Bool {
        let bound = Int128(base) + Int128(perByteSent) * Int128(sent) + Int128(perByteDecoded) * Int128(decoded)
        return spent <= ceiling && Int128(spent) <= bound
    }
}

/// Measures the processor time that one body takes while it is decoded.
package struct DecodingMeter {
    /// How much is decoded between two readings of the clock, a system call that costs as much as 100 bytes: in bytes
    /// as sent, at up to 1,500 ns each, and in decoded bytes, at about 5 ns each.
    package static let step = (sent: 2 << 10, decoded: 64 << 10)

    private let budget: DecodingBudget
    private let clock: @Sendable () -> Int64
    private var readAt: Int64
    private var sent = 0
    private var decoded = 0
    /// How much of a step was done since the clock was read, in bytes that came out.
    private var progress = 0

    /// The processor time so far, in nanoseconds, as of the last reading.
    package private(set) var spent: Int64 = 0

    /// Begins to measure.
    ///
    /// - Parameter clock: the thread's processor time in nanoseconds.
    package init(_ budget: DecodingBudget, clock: @escaping @Sendable () -> Int64) {
        self.budget = budget
        self.clock = clock
        readAt = clock()
    }

    /// So much more was done; reads the clock when that is a step.
    ///
    /// - Returns: whether the body is within its budget.
    package mutating func count(sent: Int, decoded: Int) -> Bool {
        self.sent += sent
        self.decoded += decoded
        progress += sent * (Self.step.decoded / Self.step.sent) + decoded
        return progress < Self.step.decoded || read()
    }

    /// Reads the clock.
    ///
    /// - Returns: whether the body is within its budget.
    package mutating func read() -> Bool {
        let now = clock()
        spent += max(now - readAt, 0)
        readAt = now
        progress = 0
        return budget.allows(spent, sent: sent, decoded: decoded)
    }

    /// Goes on with a body that comes in pieces: what the thread did since the last reading is not counted.
    package mutating func resume() {
        readAt = clock()
    }
}
