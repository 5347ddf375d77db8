internal import Edge
internal import Glibc
internal import Ingestion
internal import Journal
internal import Logging
internal import Redis
internal import Scoreboard
internal import System
internal import WebSocket

/// One connection: the upgrade, then messages in and answers out, in a process of its own that nothing else depends on. One
/// thread, one wait.
struct Session: ~Copyable {
    struct Options {
        let engine: Engine.Options
        let ingestion: IngestionMachine.Options
        /// Maximum number of sessions of one project.
        let projectConnections: Int
        /// Of the memory of all sessions.
        let memory: MemoryBound
        /// Nanoseconds after which a connection is closed, up to a tenth less at random.
        let age: Int64
        /// Nanoseconds from one ping to the next.
        let pingInterval: Int64
    }

    enum Phase {
        /// Until the request is whole, or its time is over.
        case readingHead(until: Int64)
        /// Until storage has answered about the key.
        case authenticating(until: Int64)
        case open
        /// The peer no longer reads; what it sent before is still handled.
        case draining(until: Int64)
        /// What was received is answered, then the connection is closed with this code.
        case leaving(CloseCode, until: Int64)
        /// The close frame is sent; the peer has some time to read it and to close.
        case closing(until: Int64)
    }

    enum Token {
        static let signals: UInt64 = 0
        static let storage: UInt64 = 1
        static let redis: UInt64 = 2
        static let peer: UInt64 = 3
    }

    let options: Options
    let log: SessionLog
    let isProxied: Bool
    let epoll: Epoll
    let signals: SignalDescriptor
    var phase: Phase
    var handshake = Handshake()
    var peer: PeerSocket
    /// Whether the peer may still send or read.
    var isPeerThere = true
    /// Whether the upgrade was refused through the client's fault.
    var isRefused = false
    /// Whether our direction was closed.
    var hasEndedOutput = false
    var webSocket: WebSocketConnection?
    /// Connected to storage for life, by which it also hears of its key.
    var engine: Engine
    var queue = AnswerQueue()
    let memory: HeldMemory
    var liveness: Liveness
    /// When the connection is too old; nil before the upgrade.
    var endsAt: Int64?
    var project: Int64 = 0
    /// The id of the next message's first event, if that has none of its own.
    var nextID = UInt128.random(in: .min ... .max)
    var watched: Epoll.Interest = .read
    let pace: ProcessorPace
    private var guardian = CPUGuard()

    /// The exit status of a session that was refused through the client's fault.
    static let refusedStatus: CInt = EX_NOPERM

    /// Serves a connection in the process that was forked for it, and ends that.
    ///
    /// - Parameters:
    ///   - isProxied: it comes from nginx, which says where the client is.
    ///   - parent: the listener.
    static func serve(
        _ connection: consuming Descriptor, isProxied: Bool, parent: pid_t, log: SessionLog, options: Options
    ) -> Never {
        do throws(SystemError) {
            let connection = try SessionConfinement.begin(connection, parent: parent)
            // A hundred sessions that wake up at once must not delay the workers, which every other sender needs.
            ProcessAttributes.yieldToOthers()
            log.begin()
            var session = try open(connection, isProxied: isProxied, log: log, options: options)
            SessionConfinement.finish(options.engine.redis, log.slot)
            try session.run()
            beginRelease()
            if session.isRefused { _exit(refusedStatus) }
        } catch {
            Journal.logger("mesher-stream").error("a session cannot continue", metadata: ["reason": "\(error)"])
            _exit(EX_OSERR)
        }
        _exit(EXIT_SUCCESS)
    }

    private static func open(
        _ connection: consuming Descriptor, isProxied: Bool, log: SessionLog, options: Options
    ) throws(SystemError) -> Session {
        let epoll = try Epoll(capacity: 8)
        let signals = try SignalDescriptor([SIGTERM])
        let peer = try PeerSocket.open(adopting: connection)
        try epoll.add(signals.number, token: Token.signals, .read)
        try epoll.add(peer.number, token: Token.peer, .read)
        return Session(
            epoll: epoll, signals: signals, peer: peer, isProxied: isProxied, log: log, options: options,
            now: Clock.monotonic())
    }

    private init(
        epoll: consuming Epoll, signals: consuming SignalDescriptor, peer: consuming PeerSocket, isProxied: Bool,
        log: SessionLog, options: Options, now: Int64
    ) {
        self.epoll = epoll
        self.signals = signals
        self.peer = peer
        self.isProxied = isProxied
        self.log = log
        self.options = options
        memory = HeldMemory(log.table, record: log.record, bound: options.memory)
        phase = .readingHead(until: now + Handshake.patience)
        liveness = Liveness(now: now, pingInterval: options.pingInterval)
        pace = ProcessorPace(log.table, record: log.record, now: now)
        engine = Engine(
            IngestionMachine(options: options.ingestion), options.engine, storageToken: Token.storage,
            redisToken: Token.redis, log: Journal.logger("mesher-stream"))
    }

    /// Runs until the connection is closed and what was received is stored or refused.
    mutating func run() throws(SystemError) {
        while true {
            var now = Clock.monotonic()
            guardian.renew(now: now)
            guard let wake = try prepare(now: now) else { return }
            let count = try epoll.wait(nanoseconds: max(0, wake - Clock.monotonic()))
            now = Clock.monotonic()
            for position in 0..<count {
                let event = epoll[position]
                switch event.token {
                case Token.signals: while signals.next() != nil { stop(now: now) }
                case Token.storage: engine.storageReady(event, now: now)
                case Token.redis: engine.redisReady(event, now: now)
                default: peerReady(event, now: now)
                }
            }
            proceed(now: now)
        }
    }

    /// Updates connections and what is watched.
    ///
    /// - Returns: when the loop has to wake at the latest; nil when the session has ended.
    private mutating func prepare(now: Int64) throws(SystemError) -> Int64? {
        var wake =
            try engine.prepare(now: now, sharers: log.table.count, in: epoll) { [log] token, reply, _ in
                Self.carryOut(reply, token, &queue, log)
            } ?? .max
        // What the machine gave up.
        deliverAnswers(now: now)
        switch phase {
        case .readingHead(let until), .authenticating(let until), .leaving(_, let until): wake = min(wake, until)
        case .draining(let until): wake = mayHandleMessages ? now : min(wake, until)
        case .open: break
        case .closing(let until):
            if engine.machine.requestsInHand == 0, !isPeerThere || now >= until { return nil }
            if isPeerThere { wake = min(wake, until) }
        }
        if isLive { wake = min(wake, liveness.wakeAt, endsAt ?? .max) }
        if pace.restsUntil > now { wake = min(wake, pace.restsUntil) }
        if mayHandleMessages, peer.hasInput { wake = now }
        try watchPeer(now: now)
        return wake
    }

    /// Whether the peer's pongs and its reading of answers matter.
    private var isLive: Bool {
        switch phase {
        case .open, .leaving: true
        case .readingHead, .authenticating, .draining, .closing: false
        }
    }

    private mutating func watchPeer(now: Int64) throws(SystemError) {
        guard isPeerThere else { return }
        if case .draining = phase { return }
        var interest: Epoll.Interest = []
        switch phase {
        case .readingHead, .closing: interest = .read
        case .authenticating, .leaving, .draining: break
        case .open: if mayHandleMessages { interest = .read }
        }
        liveness.reads(interest.contains(.read), now: now)
        liveness.awaits(webSocket?.unfinished, now: now)
        if outputCount > 0 { interest.insert(.write) }
        guard interest != watched else { return }
        try epoll.modify(peer.number, token: Token.peer, interest)
        watched = interest
    }

    /// Goes on after all that was ready.
    private mutating func proceed(now: Int64) {
        switch phase {
        case .readingHead(let until):
            if now >= until { refuse(.tooSlow, now: now) }
        case .authenticating(let until):
            authenticate(until: until, now: now)
        case .open, .leaving:
            handleMessages(now: now)
        case .draining(let until):
            drain(until: until, now: now)
        case .closing:
            break
        }
        engine.finishTurn(now: now) { [log] token, reply, _ in Self.carryOut(reply, token, &queue, log) }
        deliverAnswers(now: now)
        heedClock(now: now)
        flush(now: now)
        settleMemory(now: now)
    }

    private mutating func heedClock(now: Int64) {
        switch phase {
        case .open, .leaving: break
        case .readingHead, .authenticating, .draining, .closing: return
        }
        if engine.machine.streamKeyStanding == .unknown {
            leave(.policyViolation, within: Self.revocationPatience, now)
        }
        if engine.machine.isDraining { leave(.serviceRestart, within: Self.leavePatience, now) }
        if let endsAt, now >= endsAt { leave(.serviceRestart, within: Self.leavePatience, now) }
        switch liveness.due(now: now) {
        case .ping: webSocket?.ping()
        case .drop: lose(.dropped, now: now)
        case .giveUpMessage: leave(.policyViolation, within: Self.leavePatience, now)
        case nil: break
        }
        if case .leaving(let code, let until) = phase, queue.count == 0 || now >= until { close(code, now: now) }
    }
}
