internal import Ingestion
internal import Redis
internal import System

/// When an edge is connected to Redis, and how long it waits for an answer.
package enum RedisUse: Sendable {
    /// From its start, and it finds out whether Redis evicts counters, and what time it has. Many clients' requests are in
    /// flight, so it waits briefly.
    case always
    /// From its first event until it has been idle for a while. It keeps only its own client waiting, and its first call
    /// opens the connection, so it waits for long.
    case whileNeeded

    /// In nanoseconds.
    var patience: Int64 {
        switch self {
        case .always: ScriptClient.patience
        case .whileNeeded: 1_000_000_000
        }
    }
}

/// An edge's connection to Redis, over which it counts events against their projects' limits. Each edge has its own: those
/// that need it only now and then give it back.
struct RedisLink: ~Copyable {
    private let server: RedisServer
    private let prefix: String
    private let use: RedisUse
    private let token: UInt64
    /// Nil while it is not needed.
    private var client: ScriptClient?
    private var socketWatch: ClientSocketWatch
    private var usedAt: Int64 = 0

    /// - Parameter token: under which the loop sees it.
    init(_ server: RedisServer, prefix: String, _ use: RedisUse, token: UInt64) {
        self.server = server
        self.prefix = prefix
        self.use = use
        self.token = token
        socketWatch = ClientSocketWatch(token: token)
        if case .always = use { open() }
    }

    /// Why Redis does not answer; nil while it does, and while nothing is known.
    var failure: String? {
        switch client {
        case .some(let client): client.failure.map { "\($0)" }
        case nil: nil
        }
    }

    /// Its eviction policy, if it evicts counters.
    var evictionPolicy: String? {
        switch client {
        case .some(let client): client.observation.evictionPolicy
        case nil: nil
        }
    }

    /// Microseconds between this host's clock and Redis's; nil while nothing is known.
    var clockDifference: Int64? {
        switch client {
        case .some(let client): client.observation.clockDifference
        case nil: nil
        }
    }

    /// Whether Redis answers; nil while it is not known.
    var isUp: Bool? {
        switch client {
        case .some(let client): client.failure != nil ? false : client.isReady ? true : nil
        case nil: nil
        }
    }

    /// Time has passed: connects, gives up what is late, or closes what is not needed any more.
    ///
    /// - Parameter sharers: the processes of this host that connect only while they need it.
    /// - Returns: when to call again; nil when there is nothing to wait for.
    mutating func tick(now: Int64, sharers: Int) -> Int64? {
        guard isOpen else { return nil }
        guard case .whileNeeded = use else { return client?.tick(now: now) }
        if closesAt(sharers: sharers) <= now {
            close()
            return nil
        }
        let due = client?.tick(now: now)
        let end = closesAt(sharers: sharers)
        return min(due ?? end, end)
    }

    /// Appends a call; `flush` sends it.
    mutating func call(_ call: LimitScript.Call, now: Int64) {
        if !isOpen {
            open()
            // It connects, and takes calls meanwhile.
            _ = client?.tick(now: now)
        }
        usedAt = now
        client?.call(call.number, Self.arguments(call, prefix: prefix), now: now)
    }

    mutating func flush(now: Int64) {
        client?.flush(now: now)
    }

    mutating func ready(_ event: Epoll.Event, now: Int64) {
        client?.ready(readable: event.readable, writable: event.writable, now: now)
    }

    mutating func watch(in epoll: borrowing Epoll) throws(SystemError) {
        try socketWatch.update(socket, in: epoll)
    }

    /// Calls `use` with the number and the result of each call that has ended, and forgets them; the result is nil when
    /// Redis gave none.
    mutating func forEachResult(_ use: (UInt64, LimitScript.Grant?) -> Void) {
        let results = results
        if results.isEmpty { return }
        client?.results.removeAll(keepingCapacity: true)
        for result in results { use(result.call, LimitScript.Grant(result.integers)) }
    }

    private var results: [ScriptClient.Result] {
        switch client {
        case .some(let client): client.results
        case nil: []
        }
    }

    private var socket: ClientSocket? {
        switch client {
        case .some(let client): client.socket
        case nil: nil
        }
    }

    private static func arguments(_ call: LimitScript.Call, prefix: String) -> ScriptClient.Arguments {
        ScriptClient.Arguments(key: call.key(prefix: prefix), values: call.arguments)
    }

    // MARK: Its life

    /// A switch, since comparing an optional of what cannot be copied with nil has been seen to destroy it (Swift 6.3.1).
    private var isOpen: Bool {
        switch client {
        case .some: true
        case nil: false
        }
    }

    private var isIdle: Bool {
        switch client {
        case .some(let client): client.isIdle
        case nil: false
        }
    }

    private mutating func open() {
        let observes = if case .always = use { true } else { false }
        client = ScriptClient(
            server, script: LimitScript.source, probe: Self.arguments(.probe, prefix: prefix), patience: use.patience,
            observes: observes)
    }

    /// While Redis fails, or an answer is waited for, however many share it, the connection is kept as if they were few: a
    /// new one would know nothing of the failure.
    private func closesAt(sharers: Int) -> Int64 {
        usedAt + RedisIdleTime.among(sharers: isIdle ? sharers : 0)
    }

    /// The process may be idle for hours, so the memory of its events is released too.
    private mutating func close() {
        client = nil
        socketWatch = ClientSocketWatch(token: token)
        ProcessAttributes.trimMemory()
    }
}
