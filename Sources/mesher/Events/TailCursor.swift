/// How far a reader is that follows the events of a project.
///
/// Events become visible when their batch is committed, not in the order of receipt. So each query goes back some
/// seconds before the newest event seen, and skips what was seen already.
struct TailCursor {
    /// A place in the order of receipt.
    struct Position: Equatable {
        /// Microseconds since 1970-01-01T00:00:00Z.
        var receivedAt: Int64
        /// 32 hex digits.
        var id: String
    }

    /// How far a query goes back, in microseconds: longer than storage lets an event wait for its commit.
    static let overlap: Int64 = 10_000_000
    private static let lowestID = String(repeating: "0", count: 32)

    private var newest: Int64
    private var seen: [String: Int64] = [:]

    /// - Parameter now: microseconds since 1970; where to begin when nothing was seen.
    init(now: Int64) {
        newest = now
    }

    /// Where the next look begins.
    var start: Position {
        Position(receivedAt: newest - Self.overlap, id: Self.lowestID)
    }

    /// Takes the events of a query, and returns those not seen before, in the same order.
    mutating func take(_ events: [StoredEvent]) -> [StoredEvent] {
        let fresh = events.filter { seen.updateValue($0.receivedAt, forKey: $0.id) == nil }
        newest = max(newest, events.map(\.receivedAt).max() ?? newest)
        return fresh
    }

    /// Forgets what no later query can return.
    mutating func forget() {
        let start = start.receivedAt
        seen = seen.filter { $0.value >= start }
    }
}
