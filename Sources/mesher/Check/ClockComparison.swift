internal import System

/// Whether this host's clock and a server's say the same time.
struct ClockComparison {
    /// Microseconds that no clock kept by NTP is off.
    private static let tolerance: Int64 = 1_000_000

    private let server: String
    /// By which this host's clock is ahead of the server's at least, in microseconds.
    private let offset: Int64

    /// - Parameters:
    ///   - server: whose clock it is.
    ///   - theirs: its time, in microseconds since 1970.
    ///   - before, after: the times by this host's clock between which the server said so.
    init(_ server: String, theirs: Int64, before: Int64, after: Int64) {
        self.server = server
        offset = theirs < before ? before - theirs : theirs > after ? after - theirs : 0
    }

    var finding: Finding {
        guard abs(offset) > Self.tolerance else {
            return .good("clock", "less than 1 s from \(server)'s")
        }
        let tenths = abs(offset) / 100_000
        return .fault(
            "clock",
            "this host's is \(tenths / 10).\(tenths % 10) s \(offset > 0 ? "ahead of" : "behind") \(server)'s",
            advice: "let all hosts and servers keep time by NTP: this host's clock gives events their day")
    }
}
