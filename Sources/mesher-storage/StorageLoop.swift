import Glibc
import Journal
import Logging
import Scoreboard
import Spool
import StorageChannel
import System

/// The process: one thread that waits in one `Epoll` for edges, PostgreSQL and signals, and lets each turn end with the
/// decision whether to commit and with the answers written.
struct StorageLoop: ~Copyable {
    /// What one descriptor is known by.
    private enum Token {
        static let listener: UInt64 = 0
        static let signals: UInt64 = 1
        static let keys: UInt64 = 2
        /// The first of eight.
        static let commit: UInt64 = 8
        static let bulkCommit: UInt64 = 16
        static let firstEdge: UInt64 = 24
    }

    /// Descriptors that are not for edges: 17 connections to PostgreSQL, files that libpq reads, the loop's own.
    private static let reservedDescriptors = 48
    /// Nanoseconds that a stop waits for edges to take their answers.
    private static let stopTimeout: Int64 = 10_000_000_000

    private let logger: Logger
    private let slot: ProcessSlot
    let epoll: Epoll
    private let signals: SignalDescriptor
    private var listener: Descriptor?
    private var isListening = false
    private let edgeLimit: Int
    var edges: EdgeTable
    /// Commit single events; what is large or comes by the hundred has connections of its own, so that no single event
    /// stands behind it.
    let singles: CommitLanes
    let bulks: CommitLanes
    private let storedRow = StoredRow()
    var keeper: SpoolKeeper
    var keys: KeyReader
    private let quota: FallbackQuota
    private var redis: RedisReport
    private var drain: DrainWatch
    /// What the edges were last told of.
    private var toldDegradation: Degradation = []
    private var readiness: ReadySignal?
    /// When edges are served though PostgreSQL has said neither yes nor no.
    private let settlesAt: Int64
    /// When the process ends at the latest; nil while it is not stopping.
    private(set) var stopDeadline: Int64?

    init(
        _ configuration: StorageConfiguration, readiness: consuming ReadySignal?, slot: ProcessSlot, logger: Logger
    ) throws(SystemError) {
        let signals = try SignalDescriptor(configuration.stopSignals)
        let epoll = try Epoll()
        let quota = try Self.quota(configuration, logger)
        let listener = try UnixSocket.listen(at: configuration.socketPath, mode: 0o600, backlog: 4096)
        try epoll.add(listener.number, token: Token.listener, [])
        try epoll.add(signals.number, token: Token.signals, .read)
        self.logger = logger
        self.slot = slot
        self.readiness = readiness
        settlesAt = Clock.monotonic() + configuration.spoolAfter
        self.signals = signals
        self.epoll = epoll
        self.listener = consume listener
        edgeLimit = max(ProcessAttributes.raiseDescriptorLimit() - Self.reservedDescriptors, 1)
        edges = EdgeTable(firstToken: Token.firstEdge, logger: logger)
        singles = CommitLanes(
            "commit", count: configuration.commitConnections, firstToken: Token.commit, replays: false,
            storedRow: storedRow, configuration, slot: slot, logger: logger)
        bulks = CommitLanes(
            "bulk commit", count: configuration.bulkConnections, firstToken: Token.bulkCommit, replays: true,
            storedRow: storedRow, configuration, slot: slot, logger: logger)
        keeper = SpoolKeeper(
            configuration.spoolDirectory, limits: configuration.spoolLimits, slot: slot, logger: logger)
        let archive = KeyArchive(
            folder: configuration.stateDirectory, places: configuration.databasePlaces, logger: logger)
        keys = KeyReader(
            url: configuration.databaseURL, token: Token.keys, archive: archive,
            hasBacklog: (try? SpoolIndex(configuration.spoolDirectory))?.segments.isEmpty == false,
            defaults: configuration.defaultLimit, slot: slot, logger: logger)
        self.quota = consume quota
        redis = RedisReport(logger)
        drain = DrainWatch(configuration.stateDirectory, logger: logger)
    }

    private static func quota(
        _ configuration: StorageConfiguration, _ logger: Logger
    ) throws(SystemError) -> FallbackQuota {
        do throws(SystemError) {
            return FallbackQuota(try WindowTable.open(configuration.quotaPath), hosts: configuration.hosts)
        } catch {
            logger.warning(
                "a restart will reset this host's rate-limit windows", metadata: ["reason": "\(error)"])
            return FallbackQuota(try WindowTable(), hosts: configuration.hosts)
        }
    }

    /// Runs until a signal stops it and what was in hand is answered.
    mutating func run() throws(SystemError) {
        while true {
            var now = Clock.monotonic()
            // Before the report: once it says so, no event is taken any more.
            drain.look(now: now)
            report(now: now)
            let conditions = conditions(now: now)
            let deadline = [
                singles.deadline(conditions, connects: isConnected), bulks.deadline(conditions, connects: isConnected),
                keeper.deadline(now: now), keys.deadline, stopDeadline, settlesAt > now ? settlesAt : nil,
            ].compactMap { $0 }.min()
            let pause = deadline.map { max($0, now) - now } ?? .max
            let count = try epoll.wait(nanoseconds: min(pause, ProcessSlot.longestPause))
            now = Clock.monotonic()
            keys.isHeldUp = keys.hasMoreToRead && !edges.haveRoom(now: now, epoll)
            for position in 0..<count { handle(epoll[position], now: now) }
            edges.broadcast(keys.elapse(now: now, epoll))
            if settlesAt <= now { keys.stopWaiting() }
            keeper.turn(now: now)
            if !storedRow.isKnown { storedRow.keyedProject = keys.anyProject }
            if keeper.isDelivered { keys.forgetReplacedProjects() }
            endTurn(of: singles, now: now)
            endTurn(of: bulks, now: now)
            redis.elapse(now: now, edges)
            tellDegradation(now: now)
            if edges.flush(epoll) { FaultPoint.reach(.afterAcknowledgement) }
            watchListener(now: now)
            if isSettled(now: now) { readiness.take()?.announce() }
            if isStopped(now: now) { return keys.finish(now: now) }
        }
    }

    private func report(now: Int64) {
        slot.beat(
            now: now, inHand: singles.eventsInHand + bulks.eventsInHand, droppedLogLines: Journal.droppedLines)
        if keys.isSaved { slot.setKeysSaved(wall: Clock.wall()) }
        if singles.first.committer.isSettled { slot.set(.postgresql, isUp: singles.first.committer.accepts) }
        guard isSettled(now: now) else { return }
        slot.setReadiness(accepts: accepts(now: now), degradation: UInt64(degradation(now: now).rawValue))
    }

    /// Whether events and keys can be answered for. Edges wait for that in the backlog: just after a restart their events
    /// would be refused, though PostgreSQL is there. They wait for a PostgreSQL that is silent no longer than an event would.
    private func isSettled(now: Int64) -> Bool {
        keys.isSettled && (settlesAt <= now || singles.first.committer.isSettled && bulks.first.committer.isSettled)
    }

    /// Whether a stop has come to its end: nothing is left to do, or the time for it is over.
    private func isStopped(now: Int64) -> Bool {
        guard let stopDeadline else { return false }
        let isDone = singles.eventsInHand + bulks.eventsInHand == 0 && !edges.hasOutput
        if !isDone && stopDeadline <= now { logger.warning("stopped before every event was answered") }
        return isDone || stopDeadline <= now
    }

    private mutating func handle(_ event: Epoll.Event, now: Int64) {
        switch event.token {
        case Token.listener: acceptEdges(now: now)
        case Token.signals: while signals.next() != nil { stop(now: now) }
        case Token.keys: edges.broadcast(keys.proceed(now: now, epoll))
        default:
            if let lane = singles[event.token] ?? bulks[event.token] {
                return take(lane.link.proceed(now: now, epoll), of: lane, now: now)
            }
            guard let edge = edges[event.token] else { return }
            if event.writable && !event.hungUp { edges.flush(edge, epoll) }
            if event.hungUp && stopDeadline != nil { return edges.settle(edge, .closed, epoll) }
            if event.readable { receive(from: edge, now: now) }
        }
    }

    private mutating func receive(from edge: Edge, now: Int64) {
        guard stopDeadline == nil else { return }
        let progress = edge.receive { message in take(message, from: edge, now: now) }
        edges.settle(edge, progress, epoll)
    }

    private mutating func take(_ message: EdgeMessage, from edge: Edge, now: Int64) {
        switch message {
        case .hello: break
        case .store(let event): store(event, from: edge, now: now)
        case .lookUp(let key):
            let answer = keys.look(up: key)
            if answer.state == .known { keys.noteUse(of: key, now: now) }
            edges.answer(edge.identifier) { $0.answer(key, answer.state, answer.quota) }
        case .probe(let ticket):
            let (accepts, degradation) = (accepts(now: now), degradation(now: now))
            edges.answer(edge.identifier) { $0.answer(probe: ticket, accepts: accepts, degradation) }
        case .redis(let failure, let eviction):
            redis.note(failure, of: edge.identifier, now: now)
            if failure == nil { redis.note(eviction: eviction, of: edge.identifier, now: now) }
        }
    }

    /// Whether an event can be stored durably now: also its key must be known.
    private func accepts(now: Int64) -> Bool {
        !drain.isOrdered && keys.isKnown && (singles.first.committer.accepts || keeper.accepts(now: now))
    }

    /// What has to be done without now.
    private func degradation(now: Int64) -> Degradation {
        var degradation: Degradation = []
        if !singles.first.committer.accepts || !bulks.first.committer.accepts || !keys.isCurrent {
            degradation.insert(.postgresql)
        }
        if redis.isDegraded { degradation.insert(.redis) }
        if redis.isEvicting { degradation.insert(.eviction) }
        if keeper.isDegraded(now: now) { degradation.insert(.spool) }
        if keeper.standsStill(now: now) { degradation.insert(.backlog) }
        if !keys.isKnown { degradation.insert(.keys) }
        if drain.isOrdered { degradation.insert(.draining) }
        return degradation
    }

    private mutating func tellDegradation(now: Int64) {
        let degradation = degradation(now: now)
        guard degradation != toldDegradation else { return }
        toldDegradation = degradation
        edges.broadcast(accepts: accepts(now: now), degradation)
    }

    private mutating func store(_ event: ReceivedEvent, from edge: Edge, now: Int64) {
        guard !drain.isOrdered else {
            return edges.answer(edge.identifier) {
                $0.answer(event.ticket, .unavailable, retryAfter: Gathering.retryAfter)
            }
        }
        if !event.flags.contains(.counted) { slot.countRateLimitFallbacks(1) }
        if !event.flags.contains(.counted), singles.first.committer.gathers || keeper.accepts(now: now),
            let seconds = quota.take(keys.quota(ofProject: event.head.project), now: now)
        {
            edges.answer(edge.identifier) { $0.answer(event.ticket, .rateLimited, retryAfter: seconds) }
        } else if let fault = keys.projects?.fault(of: event.head.project) {
            setAside(event, of: edge, fault, now: now)
        } else {
            let lane = event.flags.contains(.bulk) ? bulks.first : singles.first
            guard !lane.committer.gather(event, edge: recipient(of: event, edge), now: now) else { return }
            edges.answer(edge.identifier) { $0.answer(event.ticket, .unavailable, retryAfter: Gathering.retryAfter) }
        }
    }

    /// The edge knew a key that the database has no more.
    private mutating func setAside(_ event: ReceivedEvent, of edge: Edge, _ fault: String, now: Int64) {
        let item = QuarantineItem(
            event: Array(event.record), event.head, sqlState: nil, reason: fault, wall: Clock.wall())
        let isDurable = keeper.setAside([item], now: now)
        edges.answer(edge.identifier) {
            $0.answer(event.ticket, isDurable ? .durable : .unavailable, retryAfter: isDurable ? 0 : 1)
        }
    }

    /// Who is told what becomes of an event: the edge that it comes from, or nobody any more.
    private func recipient(of event: ReceivedEvent, _ edge: Edge) -> UInt64 {
        guard FaultPoint.acknowledgesEarly else { return edge.identifier }
        edge.answer(event.ticket, .durable, retryAfter: 0)
        _ = edge.flush()
        return Token.listener
    }

    private mutating func acceptEdges(now: Int64) {
        while edges.count < edgeLimit, let number = listener?.number, let descriptor = UnixSocket.accept(number) {
            let edge = edges.adopt(descriptor, epoll)
            guard drain.isOrdered, let edge else { continue }
            let degradation = degradation(now: now)
            edges.answer(edge) { $0.answer(probe: 0, accepts: false, degradation) }
        }
    }

    /// Waits for connections only while there are descriptors for them: a full process would be woken in vain.
    private mutating func watchListener(now: Int64) {
        let wantsEdges = isSettled(now: now) && edges.count < edgeLimit
        guard let number = listener?.number, wantsEdges != isListening else { return }
        do {
            try epoll.modify(number, token: Token.listener, wantsEdges ? .read : [])
            isListening = wantsEdges
            if edges.count >= edgeLimit {
                logger.warning("no descriptors left for more edges", metadata: ["edges": "\(edges.count)"])
            }
        } catch {
            logger.error("the listener cannot be watched", metadata: ["reason": "\(error)"])
        }
    }

    /// Begins to stop: no more edges, no more events; what is in hand is committed and answered.
    private mutating func stop(now: Int64) {
        guard stopDeadline == nil else { return }
        stopDeadline = now + Self.stopTimeout
        if let listener = listener.take() { epoll.remove(listener.number) }
        edges.stopReading(epoll)
        logger.info("stopping")
    }
}
