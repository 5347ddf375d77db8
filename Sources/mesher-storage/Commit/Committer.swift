import PostgreSQL
import Schema
import Spool
import StorageChannel

/// Decides what becomes of events on their way to PostgreSQL, batch by batch over one session: every event given to
/// `gather` is answered exactly once, as durable or as not stored. What PostgreSQL does not take in time goes to the spool.
///
/// It makes no system call and reads no clock. It is told what has happened, and returns what to do about it, which
/// `StorageLoop` carries out before it tells the committer anything else.
struct Committer: ~Copyable {
    /// What the session is doing.
    enum Stage {
        case away, settingUp, makingPartitions
        /// The statement for the events of a day; the session's first, or in place of another.
        case preparing(StatementForm, isFirst: Bool)
        /// Asking whether PostgreSQL takes any row; a session begins so after one that took none.
        case probing(isFirst: Bool)
        /// Ready for the next statement.
        case idle
        case inserting
        /// The same as at the start, an hour later.
        case maintaining
        /// For events whose day has none.
        case makingMissingPartitions
    }

    /// Nanoseconds: a statement that takes longer is given up together with its connection.
    static let timeout = FaultPoint.hastened(5_000_000_000)
    /// Nanoseconds that a batch is left alone. What takes longer waits for a disk, or has large events; beside what is over
    /// sooner a second one would only make batches smaller.
    static let solitude: Int64 = 1_000_000
    /// Sessions that were given up and still run; beyond so many PostgreSQL gets no other one.
    private static let abandonedSessions = 1

    var stage = Stage.away
    /// The last attempt to connect or the last session has failed, and none has followed.
    private var isLost = false
    /// Why PostgreSQL took no row at all, until it is known to take rows again.
    var refusal: DatabaseError?
    let storedRow: StoredRow
    var nextMaintenance: Int64 = .max

    var gathering: Gathering
    var inHand = CommitInHand()
    private let spoolAfter: Int64
    /// Whether it delivers what is in the spool, between batches.
    private let replays: Bool
    var schema = EventSchema()
    /// For which events the session's statement is; nil while there is none.
    var prepared: StatementForm?
    let midnightMargin: Int64
    var insertedAt: Int64 = 0

    /// - Parameters:
    ///   - spoolAfter: nanoseconds after which what is not committed goes to the spool.
    ///   - midnightMargin: microseconds before and after a midnight, in which an id may be another host's of another day.
    ///   - replays: whether it delivers what is in the spool.
    ///   - storedRow: what all committers know of rows that PostgreSQL takes.
    init(groupCommit: GroupCommit, spoolAfter: Int64, midnightMargin: Int64, replays: Bool, storedRow: StoredRow) {
        gathering = Gathering(groupCommit)
        self.spoolAfter = spoolAfter
        self.midnightMargin = midnightMargin
        self.replays = replays
        self.storedRow = storedRow
    }

    /// Whether it is known whether events can be stored.
    var isSettled: Bool { accepts || isLost }

    /// Whether events wait for a commit: also while a session is being set up, so that a start refuses none.
    var gathers: Bool { !isLost }

    /// Whether events can be committed now.
    var accepts: Bool {
        switch stage {
        case .away, .settingUp, .makingPartitions: false
        case .preparing(_, let isFirst), .probing(let isFirst): !isFirst
        case .idle, .inserting, .maintaining, .makingMissingPartitions: refusal == nil
        }
    }

    /// Whether a command is under way, so that its result is awaited.
    var isWaiting: Bool {
        switch stage {
        case .away, .idle: false
        default: true
        }
    }

    /// The events that wait for their answer.
    var eventsInHand: Int { gathering.count + inHand.waiting }

    /// When the next turn must be, nil for not before something happens.
    func deadline(_ conditions: CommitConditions) -> Int64? {
        let now = conditions.now
        var deadlines: [Int64?] = []
        if case .idle = stage {
            if case .wait(let until) = inHand.plan.step(now: now) { deadlines.append(until) }
            if inHand.isEmpty {
                deadlines.append(
                    gathering.isEmpty ? nextMaintenance : gathering.beginning(now: now, beside: conditions.beside))
                if replays { deadlines.append(conditions.nextReplay) }
            }
        }
        if conditions.canKeep {
            if !gathering.isEmpty { deadlines.append(keeping(now: now)) }
            deadlines.append(inHand.overdue(after: spoolAfter))
        }
        return deadlines.compactMap { $0 }.min()
    }

    // MARK: Events

    /// Takes an event.
    ///
    /// - Returns: false when there is no room for it, so that it is to be refused.
    mutating func gather(_ event: ReceivedEvent, edge: UInt64, now: Int64) -> Bool {
        gathering.append(event, edge: edge, now: now)
    }

    /// At the end of a turn, before `turn`: what has been under way for too long goes to the spool as well.
    mutating func keepOverdue(_ conditions: CommitConditions) -> [CommitEffect] {
        guard conditions.canKeep, let overdue = inHand.overdue(after: spoolAfter), overdue <= conditions.now else {
            return []
        }
        return inHand.keep()
    }

    /// At the end of a turn of the loop, after every edge was read: begins a commit when it is time for one.
    mutating func turn(_ conditions: CommitConditions) -> [CommitEffect] {
        let kept = keepGathered(conditions)
        guard case .idle = stage else { return kept }
        guard inHand.isEmpty else { return kept + proceed(conditions) }
        if refusal != nil, storedRow.isKnown {
            let today = PartitionStatement.today(wall: conditions.wall)
            return kept + probe(project: 0, day: today, isFirst: true)
        }
        if replays, !conditions.isStopping, let next = conditions.nextReplay, next <= conditions.now {
            return kept + [.readSpool]
        }
        return kept + deliver(nil, conditions)
    }

    /// The answer to `readSpool`.
    ///
    /// - Parameter replay: nil when there is nothing to deliver after all.
    mutating func deliver(_ replay: Replay?, _ conditions: CommitConditions) -> [CommitEffect] {
        if let replay {
            inHand.begin(replay, wall: conditions.wall)
        } else if isDue(conditions) {
            gathering.begin(&inHand, now: conditions.now)
        }
        return proceed(conditions)
    }

    /// Whether it is time to commit what was gathered.
    private func isDue(_ conditions: CommitConditions) -> Bool {
        guard !gathering.isEmpty else { return false }
        return conditions.isStopping
            || gathering.beginning(now: conditions.now, beside: conditions.beside) <= conditions.now
    }

    /// Whether it could begin a batch at once.
    var isFree: Bool {
        if case .idle = stage { inHand.isEmpty && refusal == nil } else { false }
    }

    /// From when on another committer is of use for what it has gathered, while PostgreSQL answers and it is busy itself.
    var wantsHelpFrom: Int64? {
        !gathering.isEmpty && accepts && !isFree && !inHand.isKept ? insertedAt + Self.solitude : nil
    }

    /// At the end of a turn: begins a batch of what another committer has gathered, when it is time for that.
    mutating func help(_ other: inout Committer, _ conditions: CommitConditions) -> [CommitEffect] {
        guard isFree, let from = other.wantsHelpFrom, from <= conditions.now, other.isDue(conditions) else { return [] }
        other.gathering.begin(&inHand, now: conditions.now)
        return performStep(conditions)
    }

    private mutating func proceed(_ conditions: CommitConditions) -> [CommitEffect] {
        if !inHand.isEmpty { return performStep(conditions) }
        guard nextMaintenance <= conditions.now else { return [] }
        stage = .maintaining
        return send(PartitionStatement.comingDays(wall: conditions.wall) + "; " + InsertStatement.look)
    }

    /// Whether it is known that PostgreSQL does not answer.
    private var isUnanswered: Bool { isLost || inHand.isKept }

    /// When what was gathered goes to the spool instead.
    private func keeping(now: Int64) -> Int64 {
        gathering.keeping(after: spoolAfter, isKnown: isUnanswered, now: now)
    }

    private mutating func keepGathered(_ conditions: CommitConditions) -> [CommitEffect] {
        guard !gathering.isEmpty else { return [] }
        if conditions.canKeep {
            if case .idle = stage, inHand.isEmpty { return [] }
            guard keeping(now: conditions.now) <= conditions.now || conditions.isStopping && isUnanswered else {
                return []
            }
            gathering.ended(size: gathering.count, now: conditions.now)
        } else if !isLost {
            return []
        }
        return [gathering.keep()]
    }

    // MARK: The session

    /// There is a new session.
    ///
    /// - Parameter predecessors: the processes of sessions that were given up with a statement under way.
    mutating func connected(ending predecessors: [Int32]) -> [CommitEffect] {
        isLost = false
        stage = .settingUp
        let settings = SessionSettings.sql(ending: predecessors) + "; " + InsertStatement.sessionSettings
        return send(settings + "; " + InsertStatement.look)
    }

    /// The command under way is over.
    mutating func completed(_ result: CommandResult, _ conditions: CommitConditions) -> [CommitEffect] {
        if let schema = result.schema { self.schema = schema }
        if let error = result.error, error.isConnectionLost { return close(error) }
        switch (stage, result.error) {
        case (.away, _), (.idle, _): return []
        case (.preparing(_, isFirst: false), let error?):
            // The day of the events may be one that PostgreSQL does not know.
            return completeInsert(error, conditions)
        case (.settingUp, let error?), (.preparing, let error?): return close(error)
        case (.settingUp, nil) where result.abandonedSessions > Self.abandonedSessions:
            return close(DatabaseLink.unended(sessions: result.abandonedSessions))
        case (.settingUp, nil):
            stage = .makingPartitions
            return send(PartitionStatement.comingDays(wall: conditions.wall))
        case (.makingPartitions, let error):
            let today = StatementForm(day: PartitionStatement.today(wall: conditions.wall), claims: false)
            return planMaintenance(after: error, now: conditions.now) + prepare(today, isFirst: true)
        case (.preparing(let form, let isFirst), nil):
            stage = .idle
            prepared = form
            return isFirst && refusal == nil ? confirm() : []
        case (.probing(let isFirst), let error): return completeProbe(error, isFirst: isFirst, conditions)
        case (.maintaining, let error):
            stage = .idle
            return planMaintenance(after: error, now: conditions.now)
        case (.makingMissingPartitions, let error):
            inHand.madePartitions(failure: error?.kind)
            return (error.map { [.report(.partitionsMissing($0))] } ?? []) + performStep(conditions)
        case (.inserting, let error): return completeInsert(error, conditions)
        }
    }

    /// The session is lost, or there was none.
    mutating func lost(_ error: DatabaseError) -> [CommitEffect] {
        let wasInserting = if case .inserting = stage { true } else { false }
        stage = .away
        prepared = nil
        isLost = true
        return [.report(.lost(error))] + inHand.lose(wasInserting && error.mayBlameEvents ? error : nil)
    }

    /// Gives the session up.
    mutating func close(_ error: DatabaseError) -> [CommitEffect] {
        [.close(error)] + lost(error)
    }

    /// PostgreSQL takes rows.
    mutating func confirm() -> [CommitEffect] {
        refusal = nil
        return [.confirm, .report(.connected)]
    }
}
