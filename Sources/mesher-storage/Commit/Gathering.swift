import StorageChannel

/// The events that wait for the next batch, and when that begins.
struct Gathering: ~Copyable {
    /// Maximum bytes that wait: PostgreSQL would not keep up with more, so further events are refused.
    private static let limit = 256 << 20
    /// The retry time, in seconds, of an event for which there is no room.
    static let retryAfter: UInt32 = 1

    private var batch = Batch()
    private let policy: GroupCommit
    /// When the first of them came.
    private var since: Int64 = 0

    init(_ policy: GroupCommit) {
        self.policy = policy
    }

    var count: Int { batch.count }
    var isEmpty: Bool { batch.isEmpty }

    /// - Returns: false when there is no room for the event.
    mutating func append(_ event: ReceivedEvent, edge: UInt64, now: Int64) -> Bool {
        guard batch.records.count + event.record.count <= Self.limit else { return false }
        if batch.isEmpty { since = now }
        batch.append(event, edge: edge)
        return true
    }

    /// When they are to be committed, if nothing more comes; there is at least one.
    ///
    /// - Parameter others: how many are being committed by other connections.
    func beginning(now: Int64, beside others: Int = 0) -> Int64 {
        policy.beginning(waiting: batch.count, first: since, now: now, beside: others)
    }

    /// Whether it has an event that is in another batch, too.
    func hasEvent(of other: borrowing Batch) -> Bool { batch.hasEvent(of: other) }

    /// When they go to disk instead. While PostgreSQL is known not to answer, they go in batches, when a commit would
    /// begin.
    func keeping(after limit: Int64, isKnown: Bool, now: Int64) -> Int64 {
        isKnown ? beginning(now: now) : since + limit
    }

    /// A batch of this many events was committed or kept.
    func ended(size: Int, now: Int64) {
        policy.ended(size: size, now: now)
    }

    /// Hands them over to be committed.
    mutating func begin(_ inHand: inout CommitInHand, now: Int64) {
        inHand.begin(&batch, now: now)
    }

    /// Hands them over to be kept on disk.
    mutating func keep() -> CommitEffect {
        defer { batch = Batch() }
        return .keep(batch, [0..<batch.count])
    }
}
