import Notation
import Spool
import StorageChannel

/// The days on which keys were used, until PostgreSQL knows them. A pure value: it says when to tell it, and what.
///
/// Edges report a key once a day. PostgreSQL hears of it some seconds later, some hundred keys at a time; while it is away, when
/// it is back. A process that is killed forgets what it had not told yet.
struct KeyUses {
    struct Use: Equatable {
        let key: KeyID
        /// Days since 1970-01-01, UTC.
        let day: Int64
    }

    /// More keys than these wait for PostgreSQL only in their old state.
    static let limit = 100_000
    static let keysInStep = 500
    /// Nanoseconds from the first use to the telling, between two steps, and after a failure.
    static let delay: Int64 = 10_000_000_000
    static let pause: Int64 = 1_000_000_000
    static let retry: Int64 = 60_000_000_000
    private static let microsecondsInDay: Int64 = 86_400_000_000

    private var days: [KeyID: Int64] = [:]
    /// When the next step is due, in nanoseconds of the monotonic clock.
    private(set) var dueAt = Int64.max

    var count: Int { days.count }

    /// - Parameters:
    ///   - wall: microseconds since 1970.
    ///   - now: nanoseconds of the monotonic clock.
    mutating func note(_ key: KeyID, wall: Int64, now: Int64) {
        guard days.count < Self.limit || days[key] != nil else { return }
        days[key] = wall / Self.microsecondsInDay
        dueAt = min(dueAt, now + FaultPoint.hastened(Self.delay))
    }

    /// What to tell PostgreSQL now, in the order of the keys.
    func next() -> [Use] {
        let some = days.count <= Self.keysInStep ? Array(days) : Array(days.prefix(Self.keysInStep))
        return some.sorted { $0.key.value < $1.key.value }.map { Use(key: $0.key, day: $0.value) }
    }

    /// Notes those of a step. The session stays, whatever becomes of it, and no disk or standby is waited for.
    static func statement(_ step: [Use]) -> String {
        let keys = step.map { "'\($0.key.value.hexDigits)'" }.joined(separator: ",")
        let days = step.map { "\($0.day)" }.joined(separator: ",")
        return """
            SET LOCAL synchronous_commit = off; SET LOCAL statement_timeout = '5s';
            SELECT public.mesher_note_key_uses(ARRAY[\(keys)]::text[], ARRAY[\(days)]::integer[])
            """
    }

    /// PostgreSQL knows those of a step. A key that was used on a later day meanwhile waits again.
    mutating func saved(_ step: [Use], now: Int64) {
        for use in step where days[use.key] == use.day { days[use.key] = nil }
        dueAt = days.isEmpty ? .max : now + Self.pause
    }

    /// It could not be told.
    mutating func failed(now: Int64) {
        dueAt = now + FaultPoint.hastened(Self.retry)
    }
}
