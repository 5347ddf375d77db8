internal import Glibc
internal import Ingestion
internal import Journal
internal import Logging
internal import Redis
internal import Scoreboard
internal import StorageChannel
internal import System

/// The worker's loop: one thread, one wait, many requests in flight. One turn reads every request that is ready, asks
/// Redis once per project among them, hands all granted events to storage in one write, and answers what storage has
/// acknowledged.
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
    private let log: Logger
    private let slot: ProcessSlot
    private let suspects: SuspectBoard?
    private let epoll: Epoll
    private let signals: SignalDescriptor
    private var connections: ConnectionTable
    private var machine: IngestionMachine
    private var storage: StorageClient
    private var redis: ScriptClient
    private var storageWatch = ClientSocketWatch(token: Token.storage)
    private var redisWatch = ClientSocketWatch(token: Token.redis)
    private var isTaking = true
    /// No body is handled before this time.
    private var restsUntil: Int64 = .min
    /// No costly body is handled before this time while requests of others are on their way.
    private var yieldsUntil: Int64 = .min
    private var isStopping = false
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
        self.log = log
        self.slot = slot
        self.suspects = suspects
        machine = IngestionMachine(options: options.ingestion, slot: slot)
        storage = StorageClient(path: options.storageSocket, pendingLimit: 2 * options.bytesInHand)
        redis = ScriptClient(
            options.redis, script: LimitScript.source, probe: Self.arguments(.probe, prefix: options.redisPrefix),
            asksForEviction: true)
        self.ready = ready
    }

    /// Runs until it is told to stop and every request in flight is answered.
    mutating func run() throws(SystemError) {
        while !(isStopping && machine.requestsInHand == 0) {
            let begun = Clock.monotonic()
            var wake = try prepare(now: begun)
            Self.earlier(&wake, leaveEndsAt)
            if machine.hasWork { Self.earlier(&wake, max(begun, worksAt)) }
            let pause = wake.map { max(0, $0 - Clock.monotonic()) } ?? .max
            let count = try epoll.wait(nanoseconds: min(pause, ProcessSlot.longestPause))
            let now = Clock.monotonic()
            for position in 0..<count {
                let event = epoll[position]
                switch event.token {
                case Token.signals: while signals.next() != nil { takeLeave(now: now) }
                case Token.storage: receiveFromStorage(event, now: now)
                case Token.redis: redis.ready(readable: event.readable, writable: event.writable, now: now)
                default: try takeRequests(now: now)
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
        let wasConnected = storage.isConnected
        var wake = storage.tick(now: now)
        if !wasConnected, storage.isConnected { machine.storageConnected() }
        Self.earlier(&wake, redis.tick(now: now))
        noticeRedis()
        Self.earlier(&wake, machine.tick(now: now).map { now + $0 })
        // Carries out what the ticks gave up or resent.
        finishTurn(now: now)
        try storageWatch.update(storage.socket, in: epoll)
        try redisWatch.update(redis.socket, in: epoll)
        let hasRoom = hasRoom(now: now)
        if hasRoom != isTaking {
            isTaking = hasRoom
            if isTaking {
                try epoll.add(connections.number, token: Token.connections, .read)
            } else {
                epoll.remove(connections.number)
            }
        }
        if storage.isConnected, redis.isReady || redis.failure != nil { ready.take()?.announce() }
        report(now: now)
        return wake
    }

    /// Whether another request may be accepted. If all room is taken by bodies that have waited too long, makes room.
    private mutating func hasRoom(now: Int64) -> Bool {
        guard !isStopping, !machine.wantsSolitude else { return false }
        while true {
            let isFull = machine.requestsInHand >= options.requestsInHand
            guard isFull || machine.bytesInHand >= options.bytesInHand else { return true }
            guard machine.makeRoom(byBytes: !isFull, now: now) else { return false }
        }
    }

    private func report(now: Int64) {
        slot.beat(now: now, inHand: machine.requestsInHand, droppedLogLines: Journal.droppedLines)
        slot.set(.storage, isUp: storage.isConnected)
        if redis.isReady || redis.failure != nil { slot.set(.redis, isUp: redis.failure == nil) }
    }

    private static func earlier(_ wake: inout Int64?, _ other: Int64?) {
        if let other { wake = min(wake ?? other, other) }
    }

    private mutating func finishTurn(now: Int64) {
        takeGrants(now: now)
        machine.endTurn()
        while !machine.commands.isEmpty {
            let commands = machine.commands
            let answeredAt = Clock.monotonic()
            machine.commands.removeAll(keepingCapacity: true)
            for command in commands {
                switch command {
                // By the current time: reading and decoding in this turn is not Redis's delay.
                case .count(let call): count(call, now: answeredAt)
                case .answer(let token, let answer): self.answer(token, answer, now: answeredAt)
                case .handOn(let token, let dialect): reply(token, ResponseText.handingOn(dialect))
                }
            }
            redis.flush(now: now)
            takeGrants(now: now)
        }
        if !storage.send(&machine.toStorage) { loseStorage() }
    }

    private mutating func count(_ call: LimitScript.Call, now: Int64) {
        redis.call(call.number, Self.arguments(call, prefix: options.redisPrefix), now: now)
    }

    private static func arguments(_ call: LimitScript.Call, prefix: String) -> ScriptClient.Arguments {
        ScriptClient.Arguments(key: call.key(prefix: prefix), values: call.arguments)
    }

    private mutating func takeGrants(now: Int64) {
        let results = redis.results
        redis.results.removeAll(keepingCapacity: true)
        for result in results {
            machine.receive(LimitScript.Grant(result.integers), for: result.call, now: now)
        }
    }

    private mutating func noticeRedis() {
        machine.noteRedis(failure: redis.failure.map { "\($0)" }, eviction: redis.evictionPolicy)
    }

    // MARK: Storage and Redis

    private mutating func receiveFromStorage(_ event: Epoll.Event, now: Int64) {
        let stays = storage.ready(readable: event.readable, writable: event.writable) { kind, content in
            machine.receive(kind, content, now: now)
        }
        if !stays { loseStorage() }
    }

    private mutating func loseStorage() {
        machine.storageLost()
        log.warning("the connection to storage was lost", metadata: ["in_hand": "\(machine.requestsInHand)"])
    }

    // MARK: Connections

    private mutating func takeRequests(now: Int64) throws(SystemError) {
        let wall = Clock.wall()
        // A turn with waiting bodies is long, so requests of new connections are accepted in the same turn.
        for _ in 0..<(machine.hasWork ? 2 : 1) {
            let count = try connections.ready()
            if count > 0 { suspects?.update(&machine.suspects) }
            for position in 0..<count {
                switch connections.event(position) {
                case .listener: try connections.accept(several: machine.hasWork)
                case .connection(let token, let isClosed):
                    if hasRoom(now: now) { takeRequest(token, isClosed: isClosed, now: now, wall: wall) }
                }
            }
        }
    }

    private mutating func takeRequest(_ token: Int, isClosed: Bool, now: Int64, wall: Int64) {
        guard let connection = connections[token] else { return }
        if connection.isAnswering {
            // Readable although no further request is possible: nginx has closed it.
            connection.isAbandoned = true
            return connections.ignore(connection)
        }
        guard !isClosed, connection.read() else { return connections.close(token) }
        connection.receivedAt = now
        connection.withHead { head, body in
            machine.receive(head, body: body, isOversized: connection.isOversized, token: token, now: now, wall: wall)
        }
    }

    /// When the next body may be handled.
    private var worksAt: Int64 { yieldsUntil > restsUntil && machine.shouldYield ? yieldsUntil : restsUntil }

    /// Handles some of the waiting bodies.
    private mutating func work(now: Int64) {
        guard machine.hasWork, worksAt <= now else { return }
        let bytes = machine.work(now: now)
        yieldsUntil = machine.hasWork ? Clock.monotonic() + Self.yielding : .min
        guard options.restPerByte > 0, bytes > Self.smallBody, leaveEndsAt == nil, !isStopping else { return }
        restsUntil = Clock.monotonic() + Int64(bytes - Self.smallBody) * options.restPerByte
    }

    private mutating func answer(_ token: Int, _ answer: Answer, now: Int64) {
        guard let connection = connections[token] else { return }
        // Counted before it is sent: a process is most likely to lose the CPU, and to be killed, in the call that wakes
        // nginx. If nginx no longer waits, another worker answers and counts the request.
        if !connection.isAbandoned {
            slot.countRequest(answer.route, status: answer.status, duration: now - connection.receivedAt)
            answer.outcomes.count(in: slot)
            answer.discards.count(in: slot)
        }
        reply(token, ResponseText.bytes(answer))
    }

    private mutating func reply(_ token: Int, _ response: [UInt8]) {
        guard let connection = connections[token] else { return }
        let isKept = connection.answer(response)
        if !isKept || leaveEndsAt != nil || isStopping { connections.close(token) }
    }

    /// Begins to drain. nginx may be about to use any connection it keeps, and each one closed under it costs it an
    /// attempt. So they are closed one by one, after an answer, and idle ones last.
    private mutating func takeLeave(now: Int64) {
        guard leaveEndsAt == nil, !isStopping else { return }
        connections.stopListening()
        leaveEndsAt = now + Self.leave
        restsUntil = .min
    }

    /// Accepts what nginx has already sent and nothing after it. Idle connections are closed; nginx sends what crosses
    /// the close to another worker.
    private mutating func stop() throws(SystemError) {
        try takeRequests(now: Clock.monotonic())
        leaveEndsAt = nil
        isStopping = true
        for token in connections.idle { connections.close(token) }
    }
}
