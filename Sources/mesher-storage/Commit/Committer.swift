import EventLoop
import Logging
import PostgreSQL
import Scoreboard
import StorageChannel

/// Gathers events, commits them batch by batch, and decides what becomes of each: every event given to `gather` is
/// answered exactly once, as durable or, by `setAside`, as not stored.
struct Committer: ~Copyable {
    /// What the session is doing.
    private enum Stage {
        case away, settingUp, makingPartitions, preparing
        /// Ready for the next statement.
        case idle
        case inserting
        /// The same as at the start, an hour later.
        case maintaining
        /// For events whose day has none.
        case makingMissingPartitions
    }

    /// Nanoseconds: a statement that takes longer is given up together with its connection, so that edges know in time.
    static let timeout: Int64 = 5_000_000_000
    private static let maintenanceInterval: Int64 = 3_600_000_000_000
    private static let maintenanceRetry: Int64 = 60_000_000_000
    /// The most bytes that wait: PostgreSQL does not keep up with more, and what comes beyond is refused.
    private static let gatherLimit = 256 << 20
    /// Seconds after which an event that was not stored is worth another try.
    private static let retryAfter: UInt32 = 1

    private var link: DatabaseLink
    private var stage = Stage.away
    private var failure: DatabaseError?
    /// The last attempt to connect or the last session has failed, and none has followed.
    private var isLost = false
    private var report: CommitReport
    private var nextMaintenance: Int64 = .max

    private var groupCommit: GroupCommit
    private var gathering = Batch()
    private var gatheringSince: Int64 = 0
    private var committing = Batch()
    private var plan = CommitPlan([])
    private var parameters = StatementParameters()
    private var insertedAt: Int64 = 0

    /// - Parameters:
    ///   - name: what PostgreSQL and the log call the connection.
    ///   - slot: where commits are counted.
    init(_ name: String, url: String, token: UInt64, groupCommit: GroupCommit, slot: ProcessSlot, logger: Logger) {
        var logger = logger
        logger[metadataKey: "connection"] = "\(name)"
        link = DatabaseLink(url: url, applicationName: "mesher-storage \(name)", token: token)
        report = CommitReport(logger, slot)
        self.groupCommit = groupCommit
    }

    /// Whether it is known whether events can be stored.
    var isSettled: Bool { accepts || isLost }

    /// Whether events wait for a commit: also while a session is being set up, so that a start refuses none.
    var gathers: Bool { !isLost }

    /// Whether events can be stored durably now.
    var accepts: Bool {
        switch stage {
        case .away, .settingUp, .makingPartitions, .preparing: false
        case .idle, .inserting, .maintaining, .makingMissingPartitions: true
        }
    }

    /// Whether an event waits for its answer.
    var hasEvents: Bool { eventsInHand > 0 }

    /// The events that wait for their answer.
    var eventsInHand: Int { gathering.count + committing.count }

    /// When the loop must take its next turn, nil for not before something happens.
    func deadline(now: Int64) -> Int64? {
        var deadlines = [link.deadline]
        if case .idle = stage {
            if case .wait(let until) = plan.step(now: now) { deadlines.append(until) }
            if committing.isEmpty { deadlines.append(gathering.isEmpty ? nextMaintenance : beginning(now: now)) }
        }
        return deadlines.compactMap { $0 }.min()
    }

    mutating func gather(_ event: ReceivedEvent, edge: UInt64, now: Int64, _ edges: inout EdgeTable) {
        guard gathering.records.count + event.record.count <= Self.gatherLimit else {
            return edges.answer(edge) { $0.answer(event.ticket, .unavailable, retryAfter: Self.retryAfter) }
        }
        if gathering.isEmpty { gatheringSince = now }
        gathering.append(event, edge: edge)
    }

    /// The descriptor of the connection is ready.
    mutating func proceed(now: Int64, _ epoll: borrowing Epoll, _ edges: inout EdgeTable) {
        take(link.proceed(now: now, epoll), now: now, epoll, &edges)
    }

    /// Ends a turn of the loop, after every edge was read: begins a commit when it is time for one.
    ///
    /// - Parameter isStopping: nothing more will come, so nothing is waited for.
    mutating func turn(now: Int64, isStopping: Bool, _ epoll: borrowing Epoll, _ edges: inout EdgeTable) {
        take(link.elapse(now: now, epoll), now: now, epoll, &edges)
        if isLost {
            Self.setAside(gathering, 0..<gathering.count, &edges)
            gathering.removeAll()
        }
        guard case .idle = stage else { return }
        if committing.isEmpty, !gathering.isEmpty, isStopping || beginning(now: now) <= now {
            swap(&gathering, &committing)
            plan = CommitPlan(committing.statementRanges())
        }
        if !committing.isEmpty {
            performStep(now: now, epoll, &edges)
        } else if nextMaintenance <= now {
            stage = .maintaining
            send(PartitionStatement.comingDays(), now: now, epoll, &edges)
        }
    }

    private func beginning(now: Int64) -> Int64 {
        groupCommit.beginning(waiting: gathering.count, first: gatheringSince, now: now)
    }

    // MARK: The session

    private mutating func take(
        _ event: DatabaseLink.Event, now: Int64, _ epoll: borrowing Epoll, _ edges: inout EdgeTable
    ) {
        switch event {
        case .none: break
        case .connected:
            isLost = false
            stage = .settingUp
            send(InsertStatement.sessionSettings, now: now, epoll, &edges)
        case .received: takeResults(now: now, epoll, &edges)
        case .lost(let error): lose(error, &edges)
        }
    }

    private mutating func takeResults(now: Int64, _ epoll: borrowing Epoll, _ edges: inout EdgeTable) {
        while true {
            switch stage {
            case .away, .idle: return
            default: break
            }
            switch link.nextResult() {
            case .pending: return
            case .rows: break
            case .failed(let error): failure = error
            case .idle:
                let error = failure
                failure = nil
                if let error, error.isConnectionLost {
                    take(link.drop(error, now: now, epoll), now: now, epoll, &edges)
                } else {
                    complete(error, now: now, epoll, &edges)
                }
            }
        }
    }

    /// The command under way is over.
    private mutating func complete(
        _ error: DatabaseError?, now: Int64, _ epoll: borrowing Epoll, _ edges: inout EdgeTable
    ) {
        switch (stage, error) {
        case (.away, _), (.idle, _): break
        case (.settingUp, let error?), (.preparing, let error?):
            take(link.drop(error, now: now, epoll), now: now, epoll, &edges)
        case (.settingUp, nil):
            stage = .makingPartitions
            send(PartitionStatement.comingDays(), now: now, epoll, &edges)
        case (.makingPartitions, _):
            planMaintenance(after: error, now: now)
            stage = .preparing
            send(now: now, epoll, &edges) { connection throws(DatabaseError) in
                try connection.sendPrepare(
                    InsertStatement.name, InsertStatement.sql, parameterTypes: InsertStatement.parameterTypes)
            }
        case (.preparing, nil):
            stage = .idle
            link.confirm()
            report.connected()
        case (.maintaining, _):
            planMaintenance(after: error, now: now)
            stage = .idle
        case (.makingMissingPartitions, let error):
            if let error { report.partitionsMissing(error) }
            plan.madePartitions()
            performStep(now: now, epoll, &edges)
        case (.inserting, let error):
            completeInsert(error, now: now, epoll, &edges)
        }
    }

    private mutating func planMaintenance(after error: DatabaseError?, now: Int64) {
        if let error { report.partitionsMissing(error) } else { report.partitionsMade() }
        nextMaintenance = now + (error == nil ? Self.maintenanceInterval : Self.maintenanceRetry)
    }

    private mutating func send(_ sql: String, now: Int64, _ epoll: borrowing Epoll, _ edges: inout EdgeTable) {
        send(now: now, epoll, &edges) { connection throws(DatabaseError) in try connection.send(sql) }
    }

    private mutating func send(
        now: Int64, _ epoll: borrowing Epoll, _ edges: inout EdgeTable,
        _ command: (inout NonBlockingConnection) throws(DatabaseError) -> Void
    ) {
        take(link.send(within: Self.timeout, now: now, epoll, command), now: now, epoll, &edges)
    }

    // MARK: The fate of events

    /// Does what the plan says next; it leaves the stage idle when there is nothing to send.
    private mutating func performStep(now: Int64, _ epoll: borrowing Epoll, _ edges: inout EdgeTable) {
        switch plan.step(now: now) {
        case .insert(let range):
            stage = .inserting
            insertedAt = now
            parameters.encode(committing, range)
            let event = parameters.withParameters { parameters in
                link.send(within: Self.timeout, now: now, epoll) { connection throws(DatabaseError) in
                    try connection.sendExecute(InsertStatement.name, parameters)
                }
            }
            take(event, now: now, epoll, &edges)
        case .makePartitions(let range):
            stage = .makingMissingPartitions
            let days = Set(committing.entries[range].map(\.head.receivedOn))
            send(PartitionStatement.days(days), now: now, epoll, &edges)
        case .wait:
            stage = .idle
        case .finished:
            stage = .idle
            groupCommit.ended(size: committing.count, now: now)
            committing.removeAll()
        }
    }

    private mutating func completeInsert(
        _ error: DatabaseError?, now: Int64, _ epoll: borrowing Epoll, _ edges: inout EdgeTable
    ) {
        guard let error else {
            if let range = plan.inserted() {
                report.committed(events: range.count, duration: now - insertedAt)
                edges.answer(committing.entries[range], .durable, retryAfter: 0)
            }
            return performStep(now: now, epoll, &edges)
        }
        let kind = FailureKind(sqlState: error.sqlState)
        if let range = plan.failed(kind, now: now) {
            report.notStored(error, committing.entries[range], now: now)
            Self.setAside(committing, range, &edges)
        }
        if kind == .session {
            take(link.drop(error, now: now, epoll), now: now, epoll, &edges)
        } else {
            performStep(now: now, epoll, &edges)
        }
    }

    private mutating func lose(_ error: DatabaseError, _ edges: inout EdgeTable) {
        stage = .away
        isLost = true
        failure = nil
        report.lost(error)
        for range in plan.abandon() { Self.setAside(committing, range, &edges) }
        committing.removeAll()
    }

    /// Decides about events that PostgreSQL does not take now: nothing is durable, so their clients are told to try again.
    private static func setAside(_ batch: borrowing Batch, _ range: Range<Int>, _ edges: inout EdgeTable) {
        edges.answer(batch.entries[range], .unavailable, retryAfter: retryAfter)
    }
}
