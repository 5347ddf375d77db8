internal import Edge
internal import Glibc
internal import Ingestion
internal import Journal
internal import Logging
internal import Scoreboard
internal import System

/// The worker's loop around an `Engine`: one thread, one wait, many requests of FastCGI in flight. One turn reads every
/// request that is ready, asks Redis once per project among them, hands all granted events to storage in one write, and
/// answers what storage has acknowledged.
struct Worker: ~Copyable {
    private enum Token {
        static let signals: UInt64 = 0
        static let storage: UInt64 = 1
        static let redis: UInt64 = 2
        static let connections: UInt64 = 3
    }

    /// Nanoseconds for one more request over kept connections before idle ones are closed.
    private static let leave: Int64 = 250_000_000
    /// Nanoseconds between two slices of work, for requests of other projects that are on their way.
    private static let yielding: Int64 = 2_000_000
    /// Bytes of a body after which the next request is taken at once.
    private static let smallBody = 256 << 10

    private let options: Options
    private let slot: ProcessSlot
    private let suspects: SuspectBoard?
    private let epoll: Epoll
    private let signals: SignalDescriptor
    private var connections: ConnectionTable
    private var engine: Engine
    /// Whether the connections are among what it waits on.
    private var isReading = true
    /// No body is handled before this time.
    private var restsUntil: Int64 = .min
    /// No costly body is handled before this time while requests of others are on their way.
    private var yieldsUntil: Int64 = .min
    private var isStopping = false
    private var reportedLimits = NearLimits()
    /// While it is draining: no new connections, and each kept one ends with its next answer.
    private var leaveEndsAt: Int64?
    private var ready: ReadySignal?

    /// Opens what the worker waits on.
    ///
    /// - Parameters:
    ///   - ready: told once storage is connected and Redis has answered or failed.
    ///   - slot: where it says what it does.
    ///   - suspects: where it reads what may kill it.
    static func open(
        listener: consuming Descriptor, ready: consuming ReadySignal?, slot: ProcessSlot, suspects: SuspectBoard?,
        options: Options, log: Logger
    ) throws(SystemError) -> Worker {
        let signals = try SignalDescriptor([SIGTERM])
        let epoll = try Epoll(capacity: 8)
        let connections = try ConnectionTable.open(listener)
        try epoll.add(signals.number, token: Token.signals, .read)
        try epoll.add(connections.number, token: Token.connections, .read)
        return Worker(
            connections: connections, ready: ready, signals: signals, epoll: epoll, slot: slot, suspects: suspects,
            options: options, log: log
        )
    }

    private init(
        connections: consuming ConnectionTable, ready: consuming ReadySignal?, signals: consuming SignalDescriptor,
        epoll: consuming Epoll, slot: ProcessSlot, suspects: SuspectBoard?, options: Options, log: Logger
    ) {
        self.connections = connections
        self.signals = signals
        self.epoll = epoll
        self.options = options
        self.slot = slot
        self.suspects = suspects
        engine = Engine(
            IngestionMachine(options: options.ingestion, slot: slot), options.engine, storageToken: Token.storage,
            redisToken: Token.redis, log: log)
        self.ready = ready
    }

    /// Runs until it is told to stop and every request in flight is answered.
    mutating func run() throws(SystemError) {
        while !(isStopping && engine.machine.requestsInHand == 0) {
            let begun = Clock.monotonic()
            var wake = try prepare(now: begun)
            Self.earlier(&wake, leaveEndsAt)
            if engine.machine.hasWork { Self.earlier(&wake, max(begun, worksAt)) }
            let pause = wake.map { max(0, $0 - Clock.monotonic()) } ?? .max
            let count = try epoll.wait(nanoseconds: min(pause, ProcessSlot.longestPause))
            let now = Clock.monotonic()
            for position in 0..<count {
                let event = epoll[position]
                switch event.token {
                case Token.signals: while signals.next() != nil { beginDraining(now: now) }
                case Token.storage: engine.storageReady(event, now: now)
                case Token.redis: engine.redisReady(event, now: now)
                default: try readRequests(now: now)
                }
            }
            work(now: now)
            finishTurn(now: now)
            if let leaveEndsAt, now >= leaveEndsAt || connections.isEmpty { try stop() }
        }
    }

    // MARK: A turn

    /// Updates connections and what is watched.
    ///
    /// - Returns: when the loop has to wake at the latest.
    private mutating func prepare(now: Int64) throws(SystemError) -> Int64? {
        let endsAfterAnswer = isLeaving
        let wake = try engine.prepare(now: now, in: epoll) { [slot] token, reply, now in
            Self.carryOut(reply, token, &connections, slot, endsAfterAnswer: endsAfterAnswer, now: now)
        }
        let hasRoom = hasRoom(now: now)
        if hasRoom != isReading {
            isReading = hasRoom
            if isReading {
                try epoll.add(connections.number, token: Token.connections, .read)
            } else {
                epoll.remove(connections.number)
            }
        }
        if engine.isStorageConnected, engine.isRedisUp != nil { ready.take()?.announce() }
        report(now: now)
        return wake
    }

    private mutating func finishTurn(now: Int64) {
        let endsAfterAnswer = isLeaving
        engine.finishTurn(now: now) { [slot] token, reply, now in
            Self.carryOut(reply, token, &connections, slot, endsAfterAnswer: endsAfterAnswer, now: now)
        }
    }

    /// Whether another request may be accepted. If all room is taken by bodies that have waited too long, makes room.
    private mutating func hasRoom(now: Int64) -> Bool {
        guard !isStopping, !engine.machine.wantsSolitude else { return false }
        while true {
            let isFull = engine.machine.requestsInHand >= options.requestsInHand
            guard isFull || engine.machine.bytesInHand >= options.bytesInHand else { return true }
            guard engine.machine.makeRoom(byBytes: !isFull, now: now) else { return false }
        }
    }

    private mutating func report(now: Int64) {
        slot.beat(now: now, inHand: engine.machine.requestsInHand, droppedLogLines: Journal.droppedLines)
        slot.set(.storage, isUp: engine.isStorageConnected)
        if let isUp = engine.isRedisUp { slot.set(.redis, isUp: isUp) }
        if let difference = engine.clockDifference { slot.setClockDifference(difference) }
        slot.setProjectsWaiting(engine.machine.projectsWaiting)
        guard engine.machine.nearLimits != reportedLimits else { return }
        reportedLimits = engine.machine.nearLimits
        slot.set(reportedLimits)
    }

    private static func earlier(_ wake: inout Int64?, _ other: Int64?) {
        if let other { wake = min(wake ?? other, other) }
    }

    // MARK: Connections

    private mutating func readRequests(now: Int64) throws(SystemError) {
        let wall = Clock.wall()
        // A turn with waiting bodies is long, so requests of new connections are accepted in the same turn.
        for _ in 0..<(engine.machine.hasWork ? 2 : 1) {
            let count = try connections.ready()
            if count > 0 { suspects?.update(&engine.machine.suspects) }
            for position in 0..<count {
                switch connections.event(position) {
                case .listener: try connections.accept(several: engine.machine.hasWork)
                case .connection(let token, let isClosed):
                    if hasRoom(now: now) { readRequest(token, isClosed: isClosed, now: now, wall: wall) }
                }
            }
        }
    }

    private mutating func readRequest(_ token: Int, isClosed: Bool, now: Int64, wall: Int64) {
        guard let connection = connections[token] else { return }
        if connection.isAnswering {
            // Readable although no further request is possible: nginx has closed it.
            connection.isAbandoned = true
            return connections.ignore(connection)
        }
        guard !isClosed, connection.read() else { return connections.close(token) }
        connection.receivedAt = now
        connection.withHead { head, body in
            engine.machine.receive(
                head, body: body, isOversized: connection.isOversized, token: token, now: now, wall: wall)
        }
    }

    /// When the next body may be handled.
    private var worksAt: Int64 { yieldsUntil > restsUntil && engine.machine.shouldYield ? yieldsUntil : restsUntil }

    /// Handles some of the waiting bodies.
    private mutating func work(now: Int64) {
        guard engine.machine.hasWork, worksAt <= now else { return }
        let bytes = engine.machine.work(now: now)
        yieldsUntil = engine.machine.hasWork ? Clock.monotonic() + Self.yielding : .min
        guard options.restPerByte > 0, bytes > Self.smallBody, !isLeaving else { return }
        restsUntil = Clock.monotonic() + Int64(bytes - Self.smallBody) * options.restPerByte
    }

    /// Sends a reply. A static function, since it is called while the engine is being changed.
    ///
    /// - Parameter endsAfterAnswer: whether the connection ends with it.
    private static func carryOut(
        _ reply: Engine.Reply, _ token: Int, _ connections: inout ConnectionTable, _ slot: ProcessSlot,
        endsAfterAnswer: Bool, now: Int64
    ) {
        guard let connection = connections[token] else { return }
        let text: [UInt8]
        switch reply {
        case .answer(let answer):
            // Counted before it is sent: a process is most likely to lose the CPU, and to be killed, in the call that
            // wakes nginx. If nginx no longer waits, another worker answers and counts the request.
            if !connection.isAbandoned {
                slot.countRequest(answer.route, status: answer.status, duration: now - connection.receivedAt)
                answer.outcomes.count(in: slot)
                answer.discards.count(in: slot)
            }
            text = ResponseText.bytes(answer)
        case .handOn(let dialect): text = ResponseText.handingOn(dialect)
        }
        let isKept = connection.answer(text)
        if !isKept || endsAfterAnswer { connections.close(token) }
    }

    // MARK: The end

    /// Whether each kept connection ends with its next answer.
    private var isLeaving: Bool { leaveEndsAt != nil || isStopping }

    /// Begins to drain. nginx may be about to use any connection it keeps, and each one closed under it costs it an
    /// attempt. So they are closed one by one, after an answer, and idle ones last.
    private mutating func beginDraining(now: Int64) {
        guard !isLeaving else { return }
        connections.stopListening()
        leaveEndsAt = now + Self.leave
        restsUntil = .min
    }

    /// Accepts what nginx has already sent and nothing after it. Idle connections are closed; nginx sends what crosses
    /// the close to another worker.
    private mutating func stop() throws(SystemError) {
        try readRequests(now: Clock.monotonic())
        leaveEndsAt = nil
        isStopping = true
        for token in connections.idle { connections.close(token) }
    }
}
