import Logging
import PostgreSQL
import Schema
import Scoreboard
import Spool
import StorageChannel
import System

/// Gathers events and commits them batch by batch over one session: every event given to `gather` is answered exactly
/// once, as durable or as not stored. What PostgreSQL does not take in time goes to the `SpoolKeeper`.
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
    /// Sessions that were given up and still run; beyond so many PostgreSQL gets no other one.
    private static let abandonedSessions = 1

    var link: DatabaseLink
    var stage = Stage.away
    private var failure: DatabaseError?
    /// The last attempt to connect or the last session has failed, and none has followed.
    private var isLost = false
    /// Why PostgreSQL took no row at all, until it is known to take rows again.
    var refusal: DatabaseError?
    let storedRow: StoredRow
    var report: CommitReport
    var nextMaintenance: Int64 = .max

    var gathering: Gathering
    var inHand = CommitInHand()
    private let spoolAfter: Int64
    /// Whether it delivers what is in the spool, between batches.
    private let replays: Bool
    var parameters = StatementParameters()
    /// How many of an event's columns the database has: fewer than there are until `mesher db migrate` was run.
    var columns = InsertStatement.columns.count
    private(set) var hasClaims = false
    private(set) var isForCitus = false
    /// For which events the session's statement is; nil while there is none.
    var prepared: StatementForm?
    let midnightMargin: Int64
    var insertedAt: Int64 = 0

    /// - Parameters:
    ///   - name: what PostgreSQL and the log call the connection.
    ///   - spoolAfter: nanoseconds after which what is not committed goes to the spool.
    ///   - midnightMargin: microseconds before and after a midnight, in which an id may be another host's of another day.
    ///   - replays: whether it delivers what is in the spool.
    ///   - storedRow: what all committers know of rows that PostgreSQL takes.
    ///   - slot: where commits are counted.
    init(
        _ name: String, url: String, token: UInt64, groupCommit: GroupCommit, spoolAfter: Int64, midnightMargin: Int64,
        replays: Bool,
        storedRow: StoredRow, slot: ProcessSlot, logger: Logger
    ) {
        var logger = logger
        logger[metadataKey: "connection"] = "\(name)"
        link = DatabaseLink(url: url, applicationName: "mesher-storage \(name)", token: token)
        report = CommitReport(logger, slot)
        gathering = Gathering(groupCommit)
        self.spoolAfter = spoolAfter
        self.midnightMargin = midnightMargin
        self.storedRow = storedRow
        self.replays = replays
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

    /// Whether an event waits for its answer.
    var hasEvents: Bool { eventsInHand > 0 }

    /// The events that wait for their answer.
    var eventsInHand: Int { gathering.count + inHand.waiting }

    /// When the loop must take its next turn, nil for not before something happens.
    ///
    /// - Parameter delivers: whether the spool may be delivered now.
    func deadline(now: Int64, delivers: Bool, _ keeper: borrowing SpoolKeeper) -> Int64? {
        var deadlines = [link.deadline]
        if case .idle = stage {
            if case .wait(let until) = inHand.plan.step(now: now) { deadlines.append(until) }
            if inHand.isEmpty {
                deadlines.append(gathering.isEmpty ? nextMaintenance : gathering.beginning(now: now))
                if replays, delivers { deadlines.append(keeper.nextReplay(now: now)) }
            }
        }
        if keeper.accepts(now: now) {
            if !gathering.isEmpty { deadlines.append(keeping(now: now)) }
            deadlines.append(inHand.overdue(after: spoolAfter))
        }
        return deadlines.compactMap { $0 }.min()
    }

    mutating func gather(_ event: ReceivedEvent, edge: UInt64, now: Int64, _ edges: inout EdgeTable) {
        gathering.append(event, edge: edge, now: now, &edges)
    }

    /// The descriptor of the connection is ready.
    mutating func proceed(
        now: Int64, _ epoll: borrowing Epoll, _ keeper: inout SpoolKeeper, _ edges: inout EdgeTable
    ) {
        take(link.proceed(now: now, epoll), now: now, epoll, &keeper, &edges)
    }

    /// Ends a turn of the loop, after every edge was read: begins a commit when it is time for one.
    ///
    /// - Parameters:
    ///   - isStopping: nothing more will come, so nothing is waited for.
    ///   - projects: those of the database; while they are not known the spool is not being delivered.
    mutating func turn(
        now: Int64, isStopping: Bool, projects: KnownProjects?, _ epoll: borrowing Epoll, _ keeper: inout SpoolKeeper,
        _ edges: inout EdgeTable
    ) {
        take(link.elapse(now: now, epoll), now: now, epoll, &keeper, &edges)
        if keeper.accepts(now: now), let overdue = inHand.overdue(after: spoolAfter), overdue <= now {
            inHand.keep(now: now, &keeper, &edges)
        }
        keepGathered(now: now, isStopping: isStopping, &keeper, &edges)
        guard case .idle = stage else { return }
        if inHand.isEmpty, refusal != nil, storedRow.isKnown {
            return probe(
                project: 0, day: PartitionStatement.today(), isFirst: true, now: now, epoll, &keeper, &edges)
        }
        if inHand.isEmpty { begin(now: now, isStopping: isStopping, projects, &keeper) }
        if !inHand.isEmpty {
            performStep(now: now, epoll, &keeper, &edges)
        } else if nextMaintenance <= now {
            stage = .maintaining
            send(PartitionStatement.comingDays() + "; " + InsertStatement.look, now: now, epoll, &keeper, &edges)
        }
    }

    /// Takes what is to be committed next, if its time has come.
    private mutating func begin(
        now: Int64, isStopping: Bool, _ projects: KnownProjects?, _ keeper: inout SpoolKeeper
    ) {
        if replays, !isStopping, let projects, let piece = keeper.beginReplay(now: now) {
            inHand.begin(
                piece, suspicion: keeper.pace.suspicion, loss: keeper.loss, projects: projects, wall: Clock.wall())
        } else if !gathering.isEmpty, isStopping || gathering.beginning(now: now) <= now {
            gathering.begin(&inHand, now: now)
        }
    }

    /// Whether it is known that PostgreSQL does not answer.
    private var isUnanswered: Bool { isLost || inHand.isKept }

    /// When what was gathered goes to the spool instead.
    private func keeping(now: Int64) -> Int64 {
        gathering.keeping(after: spoolAfter, isKnown: isUnanswered, now: now)
    }

    private mutating func keepGathered(
        now: Int64, isStopping: Bool, _ keeper: inout SpoolKeeper, _ edges: inout EdgeTable
    ) {
        guard !gathering.isEmpty else { return }
        if keeper.accepts(now: now) {
            if case .idle = stage, inHand.isEmpty { return }
            guard keeping(now: now) <= now || isStopping && isUnanswered else { return }
        } else if !isLost {
            return
        }
        gathering.keep(now: now, &keeper, &edges)
    }

    // MARK: The session

    mutating func take(
        _ event: DatabaseLink.Event, now: Int64, _ epoll: borrowing Epoll, _ keeper: inout SpoolKeeper,
        _ edges: inout EdgeTable
    ) {
        switch event {
        case .none: break
        case .connected:
            isLost = false
            stage = .settingUp
            let settings = SessionSettings.sql(ending: link.abandoned) + "; " + InsertStatement.sessionSettings
            send(settings + "; " + InsertStatement.look, now: now, epoll, &keeper, &edges)
        case .received: takeResults(now: now, epoll, &keeper, &edges)
        case .lost(let error): lose(error, now: now, &keeper, &edges)
        }
    }

    private mutating func takeResults(
        now: Int64, _ epoll: borrowing Epoll, _ keeper: inout SpoolKeeper, _ edges: inout EdgeTable
    ) {
        while true {
            switch stage {
            case .away, .idle: return
            default: break
            }
            switch link.nextResult() {
            case .pending: return
            case .rows(let rows):
                if let found = InsertStatement.columns(in: rows) {
                    columns = found
                    hasClaims = InsertStatement.hasClaims(in: rows)
                    isForCitus = InsertStatement.isForCitus(in: rows)
                } else if case .settingUp = stage, let found = SessionSettings.predecessors(in: rows) {
                    link.foundAbandoned(found)
                }
            case .failed(let error): failure = error
            case .idle:
                let error = failure
                failure = nil
                if let error, error.isConnectionLost {
                    take(link.drop(error, now: now, epoll), now: now, epoll, &keeper, &edges)
                } else {
                    complete(error, now: now, epoll, &keeper, &edges)
                }
            }
        }
    }

    /// The command under way is over.
    private mutating func complete(
        _ error: DatabaseError?, now: Int64, _ epoll: borrowing Epoll, _ keeper: inout SpoolKeeper,
        _ edges: inout EdgeTable
    ) {
        switch (stage, error) {
        case (.away, _), (.idle, _): break
        case (.preparing(_, isFirst: false), let error?):
            // The day of the events may be one that PostgreSQL does not know.
            completeInsert(error, now: now, epoll, &keeper, &edges)
        case (.settingUp, let error?), (.preparing, let error?):
            take(link.drop(error, now: now, epoll), now: now, epoll, &keeper, &edges)
        case (.settingUp, nil) where link.abandoned.count > Self.abandonedSessions:
            take(link.dropForAbandoned(now: now, epoll), now: now, epoll, &keeper, &edges)
        case (.settingUp, nil):
            stage = .makingPartitions
            send(PartitionStatement.comingDays(), now: now, epoll, &keeper, &edges)
        case (.makingPartitions, _):
            planMaintenance(after: error, now: now)
            prepare(
                StatementForm(day: PartitionStatement.today(), claims: false), isFirst: true, now: now, epoll, &keeper,
                &edges)
        case (.preparing(let form, let isFirst), nil):
            stage = .idle
            prepared = form
            if isFirst, refusal == nil { confirm() }
        case (.probing(let isFirst), let error):
            completeProbe(error, isFirst: isFirst, now: now, epoll, &keeper, &edges)
        case (.maintaining, _):
            planMaintenance(after: error, now: now)
            stage = .idle
        case (.makingMissingPartitions, let error):
            if let error { report.partitionsMissing(error, now: now) }
            inHand.madePartitions(failure: error.map { FailureKind(sqlState: $0.sqlState) })
            performStep(now: now, epoll, &keeper, &edges)
        case (.inserting, let error):
            completeInsert(error, now: now, epoll, &keeper, &edges)
        }
    }

    /// PostgreSQL takes rows.
    mutating func confirm() {
        refusal = nil
        link.confirm()
        report.connected()
    }

    private mutating func lose(
        _ error: DatabaseError, now: Int64, _ keeper: inout SpoolKeeper, _ edges: inout EdgeTable
    ) {
        let wasInserting = if case .inserting = stage { true } else { false }
        stage = .away
        prepared = nil
        isLost = true
        failure = nil
        report.lost(error, now: now)
        inHand.lose(wasInserting && error.mayBlameEvents ? error : nil, now: now, &keeper, &edges)
    }
}
