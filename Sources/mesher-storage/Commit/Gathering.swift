import StorageChannel

/// The events that wait for the next batch, and when that begins.
struct Gathering: ~Copyable {
    /// Maximum bytes that wait: PostgreSQL would not keep up with more, so further events are refused.
    private static let limit = 256 << 20
    /// The retry time, in seconds, of an event for which there is no room.
    private static let retryAfter: UInt32 = 1

    private var batch = Batch()
    private var policy: GroupCommit
    /// When the first of them came.
    private var since: Int64 = 0

    init(_ policy: GroupCommit) {
        self.policy = policy
    }

    var count: Int { batch.count }
    var isEmpty: Bool { batch.isEmpty }

    mutating func append(_ event: ReceivedEvent, edge: UInt64, now: Int64, _ edges: inout EdgeTable) {
        guard batch.records.count + event.record.count <= Self.limit else {
            return edges.answer(edge) { $0.answer(event.ticket, .unavailable, retryAfter: Self.retryAfter) }
        }
        if batch.isEmpty { since = now }
        batch.append(event, edge: edge)
    }

    /// When they are to be committed, if nothing more comes; there is at least one.
    func beginning(now: Int64) -> Int64 {
        policy.beginning(waiting: batch.count, first: since, now: now)
    }

    /// When they go to disk instead. While PostgreSQL is known not to answer, they go in batches, when a commit would
    /// begin.
    func keeping(after limit: Int64, isKnown: Bool, now: Int64) -> Int64 {
        isKnown ? beginning(now: now) : since + limit
    }

    /// A batch of this many events was committed or kept.
    mutating func ended(size: Int, now: Int64) {
        policy.ended(size: size, now: now)
    }

    /// Hands them over to be committed.
    mutating func begin(_ inHand: inout CommitInHand, now: Int64) {
        inHand.begin(&batch, now: now)
    }

    /// Puts them on disk, or refuses them if that is impossible.
    mutating func keep(now: Int64, _ keeper: inout SpoolKeeper, _ edges: inout EdgeTable) {
        if keeper.accepts(now: now) { policy.ended(size: batch.count, now: now) }
        keeper.keep(batch, [0..<batch.count], now: now, &edges)
        batch.removeAll()
    }
}
