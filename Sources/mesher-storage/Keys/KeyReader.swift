import Logging
import PostgreSQL
import Schema
import Scoreboard
import Spool
import StorageChannel
import System

/// Keeps the keys in memory as PostgreSQL has them: reads all at each connection and every few minutes, and those of a project
/// when a NOTIFY names it. It reads slice by slice, and the loop does its other work in between. The changes are for the edges.
/// While PostgreSQL is away the keys stay as they were, also over a restart.
struct KeyReader: ~Copyable {
    private enum Stage {
        case away, listening, sweeping
        case readingProjects(Set<Int64>)
        case checking
        case savingUses([KeyUses.Use])
        case idle
    }

    /// Nanoseconds for one query.
    private static let timeout: Int64 = 10_000_000_000
    /// Nanoseconds after which all keys are read again: a change may be made while triggers do not fire, and then no NOTIFY
    /// names it.
    private static let readInterval: Int64 = 300_000_000_000
    /// Nanoseconds until it is asked again whether the edges have read their news.
    private static let heldUpPause: Int64 = 10_000_000

    private let logger: Logger
    private let slot: ProcessSlot
    let defaults: (events: UInt32, seconds: UInt32)
    private var link: DatabaseLink
    private var stage = Stage.away
    private var failure: DatabaseError?
    private var losses = ToldReasons()
    private var slice = KeySlice()
    private var plan = KeyReadingPlan()
    private(set) var table = KeyTable()
    private(set) var knownProjects = KnownProjects()
    private var archive: KeyArchive
    private var archivedChangeCount = 0
    private var hasReadArchive = false
    private var (checkAt, readAllAt, askAgainAt) = (Int64.max, Int64.max, Int64.max)
    private var sign = SignOfLife()
    private var uses = KeyUses()
    private var useFaults = ToldReasons()
    /// Whether all changes were heard since the keys were read.
    private(set) var isCurrent = false
    /// Whether the keys are known, or it is known that PostgreSQL cannot be reached.
    private(set) var isSettled = false
    /// Whether edges have so much to read of what has changed that nothing more is read before they have.
    var isHeldUp = false

    /// - Parameters:
    ///   - archive: where the keys are found when PostgreSQL cannot be asked.
    ///   - hasBacklog: whether events wait on disk from before.
    ///   - defaults: the limit of a project that has none of its own, events in seconds.
    init(
        url: String, token: UInt64, archive: consuming KeyArchive, hasBacklog: Bool,
        defaults: (events: UInt32, seconds: UInt32), slot: ProcessSlot, logger: Logger
    ) {
        link = DatabaseLink(url: url, applicationName: "mesher-storage keys", token: token)
        // Whether projects are the same as those of the backlog is seen when their keys are read for the first time.
        if hasBacklog, let former = archive.former() { table = former }
        self.archive = archive
        self.defaults = defaults
        self.slot = slot
        self.logger = logger
    }

    var deadline: Int64? {
        let own: Int64? =
            if case .idle = stage { plan.hasMore ? askAgainAt : min(checkAt, readAllAt, uses.dueAt) } else { nil }
        return [link.deadline, archive.deadline, own].compactMap { $0 }.min()
    }

    /// Whether PostgreSQL's keys are all on disk.
    var isSaved: Bool { isCurrent && archive.deadline == nil }

    /// No event waits on disk any more.
    mutating func forgetReplacedProjects() {
        knownProjects.forgetReplaced()
    }

    /// The descriptor of the connection is ready.
    mutating func proceed(now: Int64, _ epoll: borrowing Epoll) -> [KeyTable.Change] {
        take(link.proceed(now: now, epoll), now: now, epoll)
    }

    /// Refuses keys whose time is over, connects again, gives up what takes too long, asks for a sign of life and keeps what has
    /// changed, when it is time.
    mutating func elapse(now: Int64, _ epoll: borrowing Epoll) -> [KeyTable.Change] {
        var changes: [KeyTable.Change] = []
        if table.nextEnding < .max, table.nextEnding <= Clock.wall() {
            changes = table.end(wall: Clock.wall())
            noteChanges(now: now)
        }
        archive.elapse(now: now, table)
        return changes + goOn(now: now, epoll)
    }

    private mutating func goOn(now: Int64, _ epoll: borrowing Epoll) -> [KeyTable.Change] {
        if readAllAt <= now {
            readAllAt = .max
            plan.note(nil)
        }
        if case .idle = stage, plan.hasMore { return readNext(now: now, epoll) }
        if case .idle = stage, checkAt <= now {
            stage = .checking
            return send(sign.ask(wall: Clock.wall()), within: SignOfLife.timeout, now: now, epoll)
        }
        if case .idle = stage, uses.dueAt <= now {
            let step = uses.next()
            stage = .savingUses(step)
            return send(KeyUses.statement(step), within: Self.timeout, now: now, epoll)
        }
        return take(link.elapse(now: now, epoll), now: now, epoll)
    }

    /// A request has this key. PostgreSQL is told later, when there is nothing else to ask it.
    mutating func noteUse(of key: KeyID, now: Int64) {
        uses.note(key, wall: Clock.wall(), now: now)
    }

    /// The process ends: what has changed is kept.
    mutating func finish(now: Int64) {
        archive.finish(now: now, table)
    }

    private mutating func take(
        _ event: DatabaseLink.Event, now: Int64, _ epoll: borrowing Epoll
    ) -> [KeyTable.Change] {
        switch event {
        case .none: return []
        case .connected:
            stage = .listening
            let settings = SessionSettings.sql(ending: link.abandoned)
            return send(settings + "; LISTEN mesher_keys", within: Self.timeout, now: now, epoll)
        case .received: return takeResults(now: now, epoll)
        case .lost(let error):
            lose(error, now: now)
            return []
        }
    }

    private mutating func takeResults(now: Int64, _ epoll: borrowing Epoll) -> [KeyTable.Change] {
        var changes: [KeyTable.Change] = []
        while true {
            while let notification = link.nextNotification() { plan.note(Int64(notification.payload)) }
            switch stage {
            case .away: return changes
            case .idle:
                changes += readNext(now: now, epoll)
                if case .idle = stage { return changes }
                continue
            case .listening, .sweeping, .readingProjects, .checking, .savingUses: break
            }
            switch link.nextResult() {
            case .pending: return changes
            case .rows(let rows):
                switch stage {
                case .sweeping, .readingProjects:
                    slice.collect(rows, defaults: defaults, wall: Clock.wall(), logger: logger)
                case .listening:
                    if let found = SessionSettings.predecessors(in: rows) { link.foundAbandoned(found) }
                case .checking:
                    failure = sign.take(rows, wall: Clock.wall(), acceptsReadOnly: link.acceptsReadOnly, slot)
                case .away, .idle, .savingUses: break
                }
            case .failed(let error): failure = error
            case .idle: changes += complete(now: now, epoll)
            }
        }
    }

    /// The command under way is over.
    private mutating func complete(now: Int64, _ epoll: borrowing Epoll) -> [KeyTable.Change] {
        if let error = failure, !isForgiven(error, now: now) {
            return take(link.drop(error, now: now, epoll), now: now, epoll)
        }
        let ended = stage
        stage = .idle
        checkAt = now + SignOfLife.interval
        defer { slice = KeySlice() }
        switch ended {
        case .away, .idle, .checking: return []
        case .listening:
            plan.restart()
            return []
        case .sweeping: return takeSlice(now: now)
        case .savingUses(let step):
            if failure.take() == nil {
                uses.saved(step, now: now)
                useFaults.end()
            }
            return []
        case .readingProjects(let projects):
            guard plan.take(slice, of: projects) else { return [] }
            knownProjects.replace(projects, slice.projects)
            let changes = table.replace(projects: projects, slice.keys)
            noteChanges(now: now)
            return changes
        }
    }

    /// Whether the keys can be read though a statement failed: it was the one by which their use is noted.
    private mutating func isForgiven(_ error: DatabaseError, now: Int64) -> Bool {
        guard case .savingUses = stage, !error.isConnectionLost else { return false }
        uses.failed(now: now)
        if useFaults.tells("\(error)", now: now) {
            logger.warning("the last use of keys is not noted, tried again later", metadata: ["reason": "\(error)"])
        }
        return true
    }

    private mutating func takeSlice(now: Int64) -> [KeyTable.Change] {
        let (range, completed) = plan.takeSwept(slice)
        let changes = range.map { table.replace($0, slice.keys) } ?? []
        if let completed { completeSweep(completed, now: now) }
        noteChanges(now: now)
        return changes
    }

    private mutating func completeSweep(_ sweep: KeySweep, now: Int64) {
        let isFirst = !isCurrent
        // Hosts do not all ask at the same moment.
        let interval = FaultPoint.hastened(Self.readInterval)
        readAllAt = now + Int64.random(in: interval * 3 / 4...interval)
        isSettled = true
        isCurrent = true
        losses.end()
        link.confirm()
        // Changes that were heard of are those of the same projects.
        knownProjects.replaceAll(sweep.projects, strangers: table.complete())
        if isFirst {
            archive.note(now: now)
            logger.info("keys read", metadata: ["projects": "\(sweep.projects.count)"])
        }
    }

    private mutating func noteChanges(now: Int64) {
        guard table.changeCount != archivedChangeCount else { return }
        archivedChangeCount = table.changeCount
        archive.note(now: now)
    }

    /// Whether keys are to be read, and edges may have to be told of them.
    var hasMoreToRead: Bool { plan.hasMore }

    private mutating func readNext(now: Int64, _ epoll: borrowing Epoll) -> [KeyTable.Change] {
        guard !isHeldUp || !plan.hasMore else {
            askAgainAt = now + Self.heldUpPause
            return []
        }
        let isBegun = plan.sweep != nil
        guard let step = plan.next() else { return [] }
        switch step {
        case .projects(let projects): stage = .readingProjects(projects)
        case .sweep: stage = .sweeping
        }
        if !isBegun, !isCurrent { table.compare() }
        return send(plan.query(for: step), within: Self.timeout, now: now, epoll)
    }

    private mutating func send(
        _ sql: String, within timeout: Int64, now: Int64, _ epoll: borrowing Epoll
    ) -> [KeyTable.Change] {
        let event = link.send(within: timeout, now: now, epoll) { connection throws(DatabaseError) in
            try connection.send(sql)
        }
        return take(event, now: now, epoll)
    }

    /// PostgreSQL is silent: until it answers the keys are as they were last seen, if that is known.
    mutating func stopWaiting() {
        guard !isSettled else { return }
        readArchive()
        isSettled = table.isLoaded
    }

    private mutating func readArchive() {
        guard !table.isLoaded, !hasReadArchive else { return }
        hasReadArchive = true
        guard let former = archive.read() else { return }
        table = former
        // What was read so far is not in there.
        plan.restart()
    }

    private mutating func lose(_ error: DatabaseError, now: Int64) {
        stage = .away
        failure = nil
        slice = KeySlice()
        isCurrent = false
        isSettled = true
        readArchive()
        guard losses.tells("\(error)", now: now) else { return }
        logger.error("keys cannot be read", metadata: ["reason": "\(error)"])
    }
}
