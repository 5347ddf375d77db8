/// What remains to be done for the events of a batch, and how a statement's failure changes that. A pure value: it is
/// told what happened, and returns the next step.
///
/// Each event of the batch is decided exactly once: by `inserted`, which names those that are stored, or by `failed`,
/// `probed` or `abandon`, which name those that are not. No event is blamed before PostgreSQL has accepted another row:
/// a server that accepts none blames every event.
package struct CommitPlan {
    package enum Step: Equatable {
        case insert(Range<Int>)
        /// Make the partitions for the days of these events.
        case makePartitions(Range<Int>)
        /// Test whether PostgreSQL accepts any row: this event is suspected.
        case probe(Int)
        /// Try again at this moment of the monotonic clock.
        case wait(until: Int64)
        case finished
    }

    /// What is decided about events that a statement did not store.
    package enum Verdict: Equatable {
        /// PostgreSQL refuses this very event, now and later.
        case refused(Range<Int>)
        /// PostgreSQL does not accept them now.
        case unstored(Range<Int>)
    }

    /// The next step for a suspected event once PostgreSQL has accepted another row.
    package enum Suspicion: Sendable {
        /// It is tried, perhaps again: the cause of the refusal may just have ended.
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
        /// PostgreSQL has accepted another row since the event was suspected.
        var isProbed = false
    }

    /// Maximum events and bytes per statement, except for a single larger event. With 1 MiB, and therefore more commits
    /// for large bodies, small events beside them had two thirds of their rate.
    package static let statementEvents = 1_000
    package static let statementBytes = 8 << 20
    /// Maximum number of attempts of a statement that other sessions block.
    package static let attempts = 4
    /// Nanoseconds before the second attempt; doubled before each further one.
    package static let firstPause: Int64 = 10_000_000

    /// The last one is next.
    private var pieces: [Piece]

    package init(_ ranges: [Range<Int>]) {
        pieces = ranges.reversed().map { Piece(range: $0) }
    }

    /// - Parameter events: of each its day, since 2000-01-01, and the size of its record in bytes; in the order of
    ///   `StoreOrder`.
    package init(of events: [(day: Int32, bytes: Int)]) {
        self.init(Self.statements(events))
    }

    /// A batch of one event that is suspected from the beginning.
    package init(suspected suspicion: Suspicion) {
        pieces = [Piece(range: 0..<1, suspicion: suspicion)]
    }

    /// The current step; the same until one of the methods below reports its outcome.
    package func step(now: Int64) -> Step {
        guard let piece = pieces.last else { return .finished }
        if piece.suspicion != nil { return .probe(piece.range.lowerBound) }
        if piece.needsPartitions { return .makePartitions(piece.range) }
        return piece.notBefore > now ? .wait(until: piece.notBefore) : .insert(piece.range)
    }

    /// The insert succeeded.
    package mutating func inserted() -> Range<Int>? {
        pieces.popLast()?.range
    }

    /// What is not decided yet, in order.
    package var undecided: [Range<Int>] { pieces.reversed().map(\.range) }

    /// The partitions were made or, for a reason of some kind, could not be made; either way the insert is tried again.
    package mutating func madePartitions(failure: FailureKind? = nil) {
        guard var piece = pieces.popLast() else { return }
        piece.needsPartitions = false
        piece.madePartitions = true
        piece.lacksPartitions = failure != nil && failure != .badEvent
        pieces.append(piece)
    }

    /// The insert failed.
    ///
    /// - Returns: what that decides; nil when only the plan has changed.
    package mutating func failed(_ kind: FailureKind, now: Int64) -> Verdict? {
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

    /// PostgreSQL accepts another row. If it does not, call `abandon`.
    ///
    /// - Returns: the suspected event, if it is to blame; nil when it is to be tried, perhaps again.
    package mutating func probed() -> Range<Int>? {
        guard var piece = pieces.popLast() else { return nil }
        if piece.suspicion == .refused { return piece.range }
        piece.suspicion = nil
        piece.isProbed = true
        pieces.append(piece)
        return nil
    }

    /// PostgreSQL does not accept another row either, which may be that row's fault: the suspected event moves to the
    /// end, and others are tried first.
    ///
    /// - Returns: false when there are none left that are not suspected.
    package mutating func postpone() -> Bool {
        guard let piece = pieces.popLast() else { return false }
        pieces.insert(piece, at: 0)
        return pieces.contains { $0.suspicion == nil }
    }

    /// Gives up on all that is left.
    package mutating func abandon() -> [Range<Int>] {
        defer { pieces = [] }
        return undecided
    }

    /// Events in runs that one statement can carry: each is for one day.
    private static func statements(_ events: [(day: Int32, bytes: Int)]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var (start, end, bytes) = (0, 0, 0)
        var current: Int32?
        for event in events {
            bytes += event.bytes
            let isFull = end - start == statementEvents || bytes > statementBytes
            if end > start, isFull || event.day != current {
                ranges.append(start..<end)
                start = end
                bytes = event.bytes
            }
            current = event.day
            end += 1
        }
        if start < end { ranges.append(start..<end) }
        return ranges
    }
}
