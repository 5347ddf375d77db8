/// What is still to be done for the events of a batch, and what a statement's failure changes about that. A pure value: it
/// is told what happened and says what to do next.
///
/// Each event of the batch is decided exactly once: by `inserted`, which names those that are stored, or by `failed`,
/// `probed` or `abandon`, which name those that are not. No event is taken for bad before PostgreSQL has taken another row:
/// a server that takes none blames each event alike.
struct CommitPlan {
    enum Step: Equatable {
        case insert(Range<Int>)
        /// Make the partitions for the days of these events.
        case makePartitions(Range<Int>)
        /// Ask whether PostgreSQL takes any row: this event is suspected.
        case probe(Int)
        /// Try again at this moment of the monotonic clock.
        case wait(until: Int64)
        case finished
    }

    /// What is decided about events that a statement did not store.
    enum Verdict: Equatable {
        /// PostgreSQL refuses this very event, now and later.
        case refused(Range<Int>)
        /// PostgreSQL does not take them now.
        case unstored(Range<Int>)
    }

    /// What becomes of a suspected event once PostgreSQL has taken another row.
    enum Suspicion {
        /// It is tried, perhaps again: what refused it may just have ended.
        case tried
        /// It is refused.
        case refused
    }

    private struct Piece {
        let range: Range<Int>
        var needsPartitions = false
        var madePartitions = false
        /// They could not be made for a reason that is not in the events.
        var lacksPartitions = false
        var attempts = 0
        var notBefore: Int64 = .min
        /// Of a single event.
        var suspicion: Suspicion?
        /// PostgreSQL has taken another row since the event was suspected.
        var isProbed = false
    }

    /// How often a statement is tried in all while other sessions are in its way.
    static let attempts = 4
    /// Nanoseconds before the second attempt; doubled before each further one.
    static let firstPause: Int64 = 10_000_000

    /// The last is the one to be done next.
    private var pieces: [Piece]

    init(_ ranges: [Range<Int>]) {
        pieces = ranges.reversed().map { Piece(range: $0) }
    }

    /// A batch of one event that is suspected from the beginning.
    init(suspected suspicion: Suspicion) {
        pieces = [Piece(range: 0..<1, suspicion: suspicion)]
    }

    /// What to do now; the same until one of the methods below says what came of it.
    func step(now: Int64) -> Step {
        guard let piece = pieces.last else { return .finished }
        if piece.suspicion != nil { return .probe(piece.range.lowerBound) }
        if piece.needsPartitions { return .makePartitions(piece.range) }
        return piece.notBefore > now ? .wait(until: piece.notBefore) : .insert(piece.range)
    }

    /// The insert succeeded.
    mutating func inserted() -> Range<Int>? {
        pieces.popLast()?.range
    }

    /// What is not decided yet, in order.
    var undecided: [Range<Int>] { pieces.reversed().map(\.range) }

    /// The partitions were made or, for a reason of some kind, could not be made; either way the insert is tried again.
    mutating func madePartitions(failure: FailureKind? = nil) {
        guard var piece = pieces.popLast() else { return }
        piece.needsPartitions = false
        piece.madePartitions = true
        piece.lacksPartitions = failure != nil && failure != .badEvent
        pieces.append(piece)
    }

    /// The insert failed.
    ///
    /// - Returns: what that decides; nil when the plan has merely become another.
    mutating func failed(_ kind: FailureKind, now: Int64) -> Verdict? {
        guard var piece = pieces.popLast() else { return nil }
        switch kind {
        case .missingPartition where !piece.madePartitions:
            piece.needsPartitions = true
            pieces.append(piece)
        case .missingPartition where piece.lacksPartitions:
            return .unstored(piece.range)
        case .badEvent, .missingPartition:
            guard piece.range.count > 1 else {
                if piece.isProbed { return .refused(piece.range) }
                piece.suspicion = .tried
                pieces.append(piece)
                return nil
            }
            let middle = piece.range.lowerBound + piece.range.count / 2
            pieces.append(Piece(range: middle..<piece.range.upperBound))
            pieces.append(Piece(range: piece.range.lowerBound..<middle))
        case .transient:
            piece.attempts += 1
            guard piece.attempts < Self.attempts else { return .unstored(piece.range) }
            piece.notBefore = now + Self.firstPause << (piece.attempts - 1)
            pieces.append(piece)
        case .session, .server:
            return .unstored(piece.range)
        }
        return nil
    }

    /// PostgreSQL takes another row. When it does not, `abandon`.
    ///
    /// - Returns: the suspected event, if it is the one to blame; nil when it is to be tried, again if need be.
    mutating func probed() -> Range<Int>? {
        guard var piece = pieces.popLast() else { return nil }
        if piece.suspicion == .refused { return piece.range }
        piece.suspicion = nil
        piece.isProbed = true
        pieces.append(piece)
        return nil
    }

    /// PostgreSQL does not take another row either, which may be that row's fault: the suspected event is left for the end,
    /// and others show what is so.
    ///
    /// - Returns: false when there are none left that are not suspected.
    mutating func postpone() -> Bool {
        guard let piece = pieces.popLast() else { return false }
        pieces.insert(piece, at: 0)
        return pieces.contains { $0.suspicion == nil }
    }

    /// Gives up on all that is left.
    mutating func abandon() -> [Range<Int>] {
        defer { pieces = [] }
        return undecided
    }
}
