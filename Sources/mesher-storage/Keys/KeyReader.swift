import EventLoop
import Logging
import PostgreSQL
import Schema
import Spool
import StorageChannel

/// Keeps the keys in memory as PostgreSQL has them: reads all at each connection, and those of a project when a NOTIFY
/// names it, and all every few minutes. The changes are for the edges. While PostgreSQL is away they stay as they were, also
/// over a restart.
struct KeyReader: ~Copyable {
    private enum Stage {
        case away, listening
        case readingAll
        case readingProjects(Set<Int64>)
        /// Asks for a sign of life.
        case checking
        case idle
    }

    /// Nanoseconds for one query.
    private static let timeout: Int64 = 10_000_000_000
    /// Nanoseconds without a query after which a sign of life is asked for, and those it may take: a server that hangs
    /// would be silent, too, about a key that was revoked. So would one that takes no writes any more: the primary is
    /// another one then.
    private static let checkInterval: Int64 = 2_000_000_000
    private static let checkTimeout: Int64 = 3_000_000_000
    private static let check = "SHOW transaction_read_only"
    /// Nanoseconds after which all keys are read again: a change may be made while triggers do not fire, and then no NOTIFY
    /// names it.
    private static let readInterval: Int64 = 300_000_000_000
    /// Beyond so many changed projects all keys are read.
    private static let projectLimit = 100

    private static let readOnly = DatabaseError(
        operation: "check", message: "the session is read-only", isConnectionLost: true)

    private let logger: Logger
    private let defaults: (events: UInt32, seconds: UInt32)
    private var link: DatabaseLink
    private var stage = Stage.away
    private var failure: DatabaseError?
    private var losses = ToldReasons()
    private var current = KeySnapshot()
    private var currentProjects: Set<Int64> = []
    private var changed: Set<Int64> = []
    private var allChanged = false
    private var table = KeyTable()
    private var knownProjects = KnownProjects()
    /// Whether events wait on disk that were accepted by the keys of the archive.
    private let hasBacklog: Bool
    private var archive: KeyArchive
    private var hasReadArchive = false
    private var checkAt: Int64 = .max
    private var readAllAt: Int64 = .max
    /// Whether all changes were heard since the keys were read.
    private(set) var isCurrent = false

    /// Whether the keys are known, or it is known that PostgreSQL cannot be reached.
    private(set) var isSettled = false

    /// - Parameters:
    ///   - archive: where the keys are found when PostgreSQL cannot be asked.
    ///   - hasBacklog: whether events wait on disk from before.
    ///   - defaults: the limit of a project that has none of its own, events in seconds.
    init(
        url: String, token: UInt64, archive: KeyArchive, hasBacklog: Bool,
        defaults: (events: UInt32, seconds: UInt32), logger: Logger
    ) {
        link = DatabaseLink(url: url, applicationName: "mesher-storage keys", token: token)
        self.archive = archive
        self.hasBacklog = hasBacklog
        self.defaults = defaults
        self.logger = logger
    }

    var deadline: Int64? {
        let check: Int64? = if case .idle = stage { min(checkAt, readAllAt) } else { nil }
        return [link.deadline, archive.deadline, check].compactMap { $0 }.min()
    }

    /// What is known of a key. One that is not in memory is unknown only while changes can be heard; one that was revoked
    /// is unknown for good.
    func look(up key: KeyID) -> (state: KeyState, quota: ProjectQuota?) {
        if let quota = table.quota(of: key) { return (.known, quota) }
        return (isCurrent || table.isRevoked(key) ? .unknown : .unavailable, nil)
    }

    /// The limit of a project; the default one when it has no key in force any more.
    func quota(ofProject project: Int64) -> ProjectQuota {
        table.quota(ofProject: project)
            ?? ProjectQuota(project: project, events: defaults.events, seconds: defaults.seconds)
    }

    /// Whether keys were ever read, from PostgreSQL or from disk.
    var isKnown: Bool { table.isLoaded }

    /// The projects of the database; nil while they may be others than when they were read.
    var projects: KnownProjects? { isCurrent ? knownProjects : nil }

    /// No event waits on disk any more.
    mutating func forgetReplacedProjects() {
        knownProjects.forgetReplaced()
    }

    /// A project that has a key in force, if there is one.
    var anyProject: Int64? { table.anyProject }

    /// The descriptor of the connection is ready.
    mutating func proceed(now: Int64, _ epoll: borrowing Epoll) -> [KeyTable.Change] {
        take(link.proceed(now: now, epoll), now: now, epoll)
    }

    /// Connects again, gives up what takes too long, asks for a sign of life and keeps what has changed, when it is time.
    mutating func elapse(now: Int64, _ epoll: borrowing Epoll) -> [KeyTable.Change] {
        archive.elapse(now: now, table.snapshot)
        if case .idle = stage, readAllAt <= now {
            readAllAt = .max
            allChanged = true
            return readChanged(now: now, epoll)
        }
        if case .idle = stage, checkAt <= now {
            stage = .checking
            return send(Self.check, within: Self.checkTimeout, now: now, epoll)
        }
        return take(link.elapse(now: now, epoll), now: now, epoll)
    }

    /// The process ends: what has changed is kept.
    mutating func finish(now: Int64) {
        archive.finish(now: now, table.snapshot)
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
            while let notification = link.nextNotification() {
                if let project = Int64(notification.payload) { changed.insert(project) } else { allChanged = true }
            }
            switch stage {
            case .away: return changes
            case .idle:
                guard allChanged || !changed.isEmpty else { return changes }
                changes += readChanged(now: now, epoll)
                continue
            case .listening, .readingAll, .readingProjects, .checking: break
            }
            switch link.nextResult() {
            case .pending: return changes
            case .rows(let rows):
                switch stage {
                case .readingAll, .readingProjects: collect(rows)
                case .listening:
                    if let found = SessionSettings.predecessors(in: rows) { link.foundAbandoned(found) }
                case .checking:
                    let isReadOnly = rows.count == 1 && rows[row: 0, column: 0] == "on"
                    if isReadOnly && !link.acceptsReadOnly { failure = Self.readOnly }
                case .away, .idle: break
                }
            case .failed(let error): failure = error
            case .idle: changes += complete(now: now, epoll)
            }
        }
    }

    /// The command under way is over.
    private mutating func complete(now: Int64, _ epoll: borrowing Epoll) -> [KeyTable.Change] {
        if let error = failure { return take(link.drop(error, now: now, epoll), now: now, epoll) }
        let ended = stage
        stage = .idle
        checkAt = now + Self.checkInterval
        defer { forgetCurrent() }
        switch ended {
        case .away, .idle, .checking: return []
        case .listening:
            allChanged = true
            return []
        case .readingAll:
            let isFirst = !isCurrent
            readAllAt = now + FaultPoint.hastened(Self.readInterval)
            isSettled = true
            isCurrent = true
            losses.end()
            link.confirm()
            archive.note(now: now)
            // Changes that were heard of are those of the same projects.
            knownProjects.replaceAll(currentProjects, strangers: isFirst ? replacedProjects() : [])
            let changes = table.replaceAll(current)
            if isFirst || !changes.isEmpty { logger.info("keys read", metadata: ["keys": "\(current.quotas.count)"]) }
            return changes
        case .readingProjects(let projects):
            archive.note(now: now)
            knownProjects.replace(projects, currentProjects)
            return table.replace(projects: projects, current)
        }
    }

    private func replacedProjects() -> Set<Int64> {
        if table.isLoaded { return table.replaced(by: current) }
        guard hasBacklog, let former = archive.former() else { return [] }
        var table = KeyTable()
        _ = table.replaceAll(former)
        return table.replaced(by: current)
    }

    private mutating func forgetCurrent() {
        current = KeySnapshot()
        currentProjects = []
    }

    private mutating func readChanged(now: Int64, _ epoll: borrowing Epoll) -> [KeyTable.Change] {
        var query = """
            SELECT k.key, p.id, k.revoked_at IS NULL, p.rate_limit_events, p.rate_limit_seconds,
                array_to_string(p.allowed_origins, ' ')
            FROM public.projects p LEFT JOIN public.api_keys k ON k.project_id = p.id
            """
        if allChanged || changed.count > Self.projectLimit {
            stage = .readingAll
        } else {
            query += " WHERE p.id IN (\(changed.map(String.init).joined(separator: ", ")))"
            stage = .readingProjects(changed)
        }
        allChanged = false
        changed = []
        return send(query, within: Self.timeout, now: now, epoll)
    }

    private mutating func collect(_ rows: borrowing Rows) {
        for row in 0..<rows.count {
            guard let project = rows[row: row, column: 1].flatMap({ Int64($0) }) else { continue }
            currentProjects.insert(project)
            guard let text = rows[row: row, column: 0] else { continue }
            guard let key = KeyID(hex: text) else {
                logger.warning("a key that is not 32 hex digits is ignored")
                continue
            }
            guard rows[row: row, column: 2] == "t" else {
                current.revoked.insert(key)
                continue
            }
            current.quotas[key] = ProjectQuota(
                project: project,
                events: rows[row: row, column: 3].flatMap { UInt32($0) } ?? defaults.events,
                seconds: rows[row: row, column: 4].flatMap { UInt32($0) } ?? defaults.seconds,
                origins: AllowedOrigins((rows[row: row, column: 5] ?? "").utf8))
        }
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
        if let snapshot = archive.read() { _ = table.replaceAll(snapshot) }
    }

    private mutating func lose(_ error: DatabaseError, now: Int64) {
        stage = .away
        failure = nil
        forgetCurrent()
        isCurrent = false
        isSettled = true
        readArchive()
        guard losses.tells("\(error)", now: now) else { return }
        logger.error("keys cannot be read", metadata: ["reason": "\(error)"])
    }
}
