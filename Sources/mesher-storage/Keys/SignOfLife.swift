import PostgreSQL
import Scoreboard

/// The question whether PostgreSQL still answers, takes writes, and what time it has. A server that hangs would be silent, too,
/// about a key that was revoked. So would one that takes no writes any more: the primary is another one then.
struct SignOfLife {
    /// Nanoseconds without a query after which it is asked, and those that the answer may take.
    static let interval: Int64 = 2_000_000_000
    static let timeout: Int64 = 3_000_000_000

    private static let question =
        "SELECT current_setting('transaction_read_only'), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    private static let readOnly = DatabaseError(
        operation: "check", message: "the session is read-only", isConnectionLost: true)

    /// By this host's clock, in microseconds since 1970.
    private var askedAt: Int64 = 0

    mutating func ask(wall: Int64) -> String {
        askedAt = wall
        return Self.question
    }

    /// Takes the answer, and says how far the clocks are apart.
    ///
    /// - Returns: why the session is of no use.
    func take(
        _ rows: borrowing Rows, wall: Int64, acceptsReadOnly: Bool, _ slot: ProcessSlot
    ) -> DatabaseError? {
        guard rows.count == 1 else { return nil }
        if let theirs = rows[row: 0, column: 1].flatMap({ Int64($0) }) {
            slot.setClockDifference(theirs < askedAt ? askedAt - theirs : max(theirs - wall, 0))
        }
        return rows[row: 0, column: 0] == "on" && !acceptsReadOnly ? Self.readOnly : nil
    }
}
