package import Ingestion
package import Logging
internal import Redis
internal import StorageChannel
package import System

/// What worker and session have in common: the machine of an event's path, its connection to storage and that to Redis.
/// The loop around it has the senders and the wait.
///
/// In each turn the loop calls `prepare` before it waits and `storageReady` and `redisReady` for what is ready, tells
/// `machine` what senders sent, and calls `finishTurn`.
package struct Engine: ~Copyable {
    /// What the loop does for the machine.
    package enum Reply {
        case answer(Answer)
        /// Have the worker for large bodies answer the request.
        case handOn(Dialect)
    }

    /// Gets each reply with the token of its request and the current time, in nanoseconds of the monotonic clock.
    package typealias Replying = (_ token: Int, _ reply: Reply, _ now: Int64) -> Void

    package var machine: IngestionMachine

    private let log: Logger
    private var storage: StorageClient
    private var storageWatch: ClientSocketWatch
    private var redis: RedisLink
    /// Empty but for its memory, between two turns.
    private var commands: [IngestionMachine.Command] = []

    /// - Parameters:
    ///   - machine: to be connected.
    ///   - storageToken: under which the loop sees the connection to storage.
    ///   - redisToken: the same for Redis.
    package init(
        _ machine: consuming IngestionMachine, _ options: Options, storageToken: UInt64, redisToken: UInt64, log: Logger
    ) {
        self.machine = machine
        self.log = log
        storage = StorageClient(path: options.storageSocket, pendingLimit: options.pendingLimit)
        storageWatch = ClientSocketWatch(token: storageToken)
        redis = RedisLink(options.redis, prefix: options.redisPrefix, options.redisUse, token: redisToken)
    }

    package var isStorageConnected: Bool { storage.isConnected }

    /// Whether Redis answers; nil before it has answered or failed for the first time.
    package var isRedisUp: Bool? { redis.isUp }

    /// Microseconds between this host's clock and Redis's; nil while nothing is known.
    package var clockDifference: Int64? { redis.clockDifference }

    /// At most so many bytes are held for requests and their frames: a frame that storage has not read yet counts twice.
    package var bytesHeld: Int { machine.bytesInHand + storage.pendingCount }

    // MARK: A turn

    /// Updates connections and what is watched.
    ///
    /// - Parameter sharers: the processes of this host that connect to Redis only while they have events.
    /// - Returns: when the loop has to wake at the latest; nil when nothing is due.
    package mutating func prepare(
        now: Int64, sharers: Int = 1, in epoll: borrowing Epoll, _ reply: Replying
    ) throws(SystemError) -> Int64? {
        let wasConnected = storage.isConnected
        var wake = storage.tick(now: now)
        if !wasConnected, storage.isConnected { machine.storageConnected() }
        wake = Self.earlier(wake, redis.tick(now: now, sharers: sharers))
        machine.noteRedis(failure: redis.failure, eviction: redis.evictionPolicy)
        wake = Self.earlier(wake, machine.tick(now: now).map { now + $0 })
        // Carries out what the ticks gave up or resent.
        finishTurn(now: now, reply)
        try storageWatch.update(storage.socket, in: epoll)
        try redis.watch(in: epoll)
        return wake
    }

    private static func earlier(_ one: Int64?, _ other: Int64?) -> Int64? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }

    /// Everything that was ready has been received: calls Redis, gives the replies, sends events to storage.
    package mutating func finishTurn(now: Int64, _ reply: Replying) {
        passGrants(now: now)
        machine.endTurn()
        while !machine.commands.isEmpty {
            swap(&commands, &machine.commands)
            let current = Clock.monotonic()
            for command in commands {
                switch command {
                // By the current time: reading and decoding in this turn is not Redis's delay.
                case .count(let call): redis.call(call, now: current)
                case .answer(let token, let answer): reply(token, .answer(answer), current)
                case .handOn(let token, let dialect): reply(token, .handOn(dialect), current)
                }
            }
            commands.removeAll(keepingCapacity: true)
            redis.flush(now: now)
            passGrants(now: now)
        }
        if !storage.send(&machine.toStorage) { loseStorage() }
    }

    private mutating func passGrants(now: Int64) {
        redis.forEachResult { call, grant in machine.receive(grant, for: call, now: now) }
    }

    // MARK: Connections

    /// The connection to storage is readable or writable.
    package mutating func storageReady(_ event: Epoll.Event, now: Int64) {
        let stays = storage.ready(readable: event.readable, writable: event.writable) { kind, content in
            machine.receive(kind, content, now: now)
        }
        if !stays { loseStorage() }
    }

    /// The connection to Redis is readable or writable.
    package mutating func redisReady(_ event: Epoll.Event, now: Int64) {
        redis.ready(event, now: now)
    }

    /// Of thousands of sessions only those say so whose senders wait.
    private mutating func loseStorage() {
        let waiting = machine.requestsInHand
        machine.storageLost()
        if waiting > 0 {
            log.warning("the connection to storage was lost", metadata: ["in_hand": "\(waiting)"])
        }
    }
}
