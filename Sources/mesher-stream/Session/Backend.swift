internal import Ingestion
internal import Redis
internal import StorageChannel
internal import System

/// A session's machine with its connections: to storage for life, by which it also hears of its key, and to Redis from
/// the first event until it has been idle for a while.
struct Backend: ~Copyable {
    /// How long Redis's answer is waited for, in nanoseconds. A worker cannot wait so long, with many clients' requests in
    /// hand; a session keeps its own client waiting, and its first call opens the connection.
    private static let redisPatience: Int64 = 1_000_000_000
    /// Maximum number of bytes that storage may leave unread.
    private static let pendingLimit = 16 << 20

    var machine: IngestionMachine
    /// The machine's answers by token; the session takes them and empties the list.
    var answers: [(token: Int, answer: Answer)] = []

    private let server: RedisServer
    private let prefix: String
    private let redisToken: UInt64
    private var storage: StorageClient
    private var storageWatch: ClientSocketWatch
    private var redis: ScriptClient?
    private var redisWatch: ClientSocketWatch
    private var redisUsedAt: Int64 = 0

    /// - Parameters:
    ///   - storageToken: under which the loop sees the connection to storage.
    ///   - redisToken: the same for Redis.
    init(_ options: Session.Options, storageToken: UInt64, redisToken: UInt64) {
        machine = IngestionMachine(options: options.ingestion)
        server = options.redis
        prefix = options.redisPrefix
        self.redisToken = redisToken
        storage = StorageClient(path: options.storageSocket, pendingLimit: Self.pendingLimit)
        storageWatch = ClientSocketWatch(token: storageToken)
        redisWatch = ClientSocketWatch(token: redisToken)
    }

    /// Bytes of messages and frames in flight, including those that wait for storage to read them.
    var bytesHeld: Int { machine.bytesInHand + storage.pendingCount }

    /// Updates connections and what is watched.
    ///
    /// - Parameter sessions: those of this host.
    /// - Returns: when the loop has to wake at the latest; nil when nothing is due.
    mutating func prepare(now: Int64, sessions: Int, _ epoll: borrowing Epoll) throws(SystemError) -> Int64? {
        let wasConnected = storage.isConnected
        var moments: [Int64?] = [storage.tick(now: now)]
        if !wasConnected, storage.isConnected { machine.storageConnected() }
        if hasRedis, redisClosesAt(sessions: sessions) <= now { closeRedis() }
        if hasRedis { moments += [redis?.tick(now: now), redisClosesAt(sessions: sessions)] }
        noticeRedis()
        moments.append(machine.tick(now: now).map { now + $0 })
        // Carries out what the ticks gave up or resent.
        finishTurn(now: now)
        try storageWatch.update(storage.socket, in: epoll)
        try redisWatch.update(redis?.socket, in: epoll)
        return moments.compactMap(\.self).min()
    }

    /// Carries out the machine's commands: calls Redis, collects answers, sends events to storage.
    mutating func finishTurn(now: Int64) {
        takeGrants(now: now)
        machine.endTurn()
        while !machine.commands.isEmpty {
            let commands = machine.commands
            machine.commands.removeAll(keepingCapacity: true)
            for command in commands {
                switch command {
                case .count(let call): count(call, now: now)
                case .answer(let token, let answer): answers.append((token, answer))
                // Never here: there is nobody to hand it on to.
                case .handOn: break
                }
            }
            redis?.flush(now: now)
            takeGrants(now: now)
        }
        if !storage.send(&machine.toStorage) { machine.storageLost() }
    }

    /// The connection to storage is readable or writable.
    mutating func storageReady(_ event: Epoll.Event, now: Int64) {
        let stays = storage.ready(readable: event.readable, writable: event.writable) { kind, content in
            machine.receive(kind, content, now: now)
        }
        if !stays { machine.storageLost() }
    }

    /// The connection to Redis is readable or writable.
    mutating func redisReady(_ event: Epoll.Event, now: Int64) {
        redis?.ready(readable: event.readable, writable: event.writable, now: now)
    }

    // MARK: Redis

    /// A switch, since comparing an optional of what cannot be copied with nil has been seen to destroy it (Swift 6.3.1).
    private var hasRedis: Bool {
        switch redis {
        case .some: true
        case nil: false
        }
    }

    /// While Redis fails, or an answer is waited for, however many sessions there are, the connection is kept as if they were
    /// few: a new one would know nothing of the failure.
    private func redisClosesAt(sessions: Int) -> Int64 {
        redisUsedAt + RedisIdleTime.among(sessions: isRedisIdle ? sessions : 0)
    }

    private var isRedisIdle: Bool {
        switch redis {
        case .some(let redis): redis.isIdle
        case nil: false
        }
    }

    /// Tells storage when Redis fails and when it is back; without a connection nothing is known.
    private mutating func noticeRedis() {
        machine.noteRedis(failure: redis?.failure.map { "\($0)" })
    }

    private mutating func count(_ call: LimitScript.Call, now: Int64) {
        if !hasRedis {
            redis = ScriptClient(
                server, script: LimitScript.source, probe: Self.arguments(.probe, prefix: prefix),
                patience: Self.redisPatience)
            // It connects, and takes calls meanwhile.
            _ = redis?.tick(now: now)
        }
        redisUsedAt = now
        redis?.call(call.number, Self.arguments(call, prefix: prefix), now: now)
    }

    private static func arguments(_ call: LimitScript.Call, prefix: String) -> ScriptClient.Arguments {
        ScriptClient.Arguments(key: call.key(prefix: prefix), values: call.arguments)
    }

    /// The session may be idle for hours, so the memory of its messages is released too.
    private mutating func closeRedis() {
        defer { ProcessAttributes.trimMemory() }
        redis = nil
        redisWatch = ClientSocketWatch(token: redisToken)
    }

    private mutating func takeGrants(now: Int64) {
        guard let results = redis?.results, !results.isEmpty else { return }
        redis?.results.removeAll(keepingCapacity: true)
        for result in results {
            machine.receive(LimitScript.Grant(result.integers), for: result.call, now: now)
        }
    }
}
