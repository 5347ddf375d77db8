internal import Configuration
package import System

/// Calls one Lua script in Redis, many calls per round trip, over one connection, and reconnects by itself. A call gets
/// its result, or none if Redis is down or late; it is never repeated.
///
/// It is a circuit breaker too: once Redis has failed, no call is made until a harmless call over a new connection has
/// shown that the script works there. A Redis that is loading its data, read-only or out of memory still accepts
/// connections.
///
/// With Sentinels, one of them is asked before each connection. A failover shows by the end of the old connection
/// (Sentinel makes a demoted master close it), and an old master that restarts afterwards is never used.
///
/// The loop around it waits on `socket`, calls `ready` when that is ready and `tick` when the time it named has come, and
/// takes `results`.
package struct ScriptClient: ~Copyable {
    /// The outcome of one call; nil when Redis gave no result.
    package typealias Result = (call: UInt64, integers: [Int64]?)

    /// What the script is called with.
    package struct Arguments: Sendable {
        package let key: [UInt8]
        package let values: [[UInt8]]

        package init(key: [UInt8], values: [[UInt8]]) {
            self.key = key
            self.values = values
        }

        /// As EVAL and EVALSHA take them: the number of keys, the key, the others.
        fileprivate var words: [[UInt8]] { [Array("1".utf8), key] + values }
    }

    /// The usual timeout of a call, in nanoseconds.
    package static let patience: Int64 = 50_000_000
    /// Maximum delay of the first and of each later attempt to reconnect, in nanoseconds; the minimum is half of it.
    /// Random, because many processes lose Redis at the same moment.
    private static let firstDelay: Int64 = 50_000_000
    private static let longestDelay: Int64 = 1_000_000_000
    /// Nanoseconds that a connection must have worked before its loss counts as the first again, so that a slow Redis
    /// is tried less and less often.
    private static let probation: Int64 = 10_000_000_000
    /// Nanoseconds after which, at the next call, Redis is asked again whether it evicts, and for its time.
    private static let informationInterval: Int64 = 30_000_000_000

    /// Taken and emptied by the loop.
    package var results: [Result] = []
    /// Why Redis is down; nil while it answers, and during the first connect.
    package private(set) var failure: RedisError?
    /// What Redis says of itself, if this client `observes`.
    package private(set) var observation = ServerObservation()
    /// Whether the script works over this connection.
    package private(set) var isReady = false

    private let server: RedisServer
    private let patience: Int64
    private let script: [UInt8]
    private let probe: Arguments
    private let observes: Bool
    private var askAt: Int64 = 0
    private var connection: RedisConnection?
    private var pending = PendingReplies()
    private var digest: [UInt8]?
    private var round = SentinelRound()
    /// The Sentinel that is being asked, and the calls that wait until it has named the master.
    private var asked: ServerAddress?
    private var waiting: [PendingReplies.Expected] = []
    private var openings = 0
    private var isFlushed = true
    /// When the greeting must be answered, or when the next opening is due.
    private var deadline: Int64 = 0
    private var delay = Self.firstDelay
    private var readyAt: Int64 = 0

    /// - Parameters:
    ///   - probe: arguments of a harmless call that writes as every call does.
    ///   - observes: whether it asks for what `observation` holds.
    package init(
        _ server: RedisServer, script: StaticString, probe: Arguments, patience: Int64 = Self.patience,
        observes: Bool = false
    ) {
        self.observes = observes
        self.patience = patience
        self.server = server
        self.probe = probe
        self.script = Array(UnsafeBufferPointer(start: script.utf8Start, count: script.utf8CodeUnitCount))
    }

    /// The socket to wait on, nil while there is none.
    package var socket: ClientSocket? {
        switch connection {
        case .some(let connection): ClientSocket(number: connection.number, opening: openings, wantsWrite: !isFlushed)
        case nil: nil
        }
    }

    /// Whether the connection works and no call is pending, so that closing it loses nothing.
    package var isIdle: Bool { isReady && pending.isEmpty }

    /// Appends a call; `flush` sends it. While Redis is down its result is there at once, and is nil.
    package mutating func call(_ number: UInt64, _ arguments: Arguments, now: Int64) {
        guard isOpen, failure == nil else { return results.append((number, nil)) }
        let call = PendingReplies.Expected.call(number, arguments, deadline: now + patience)
        guard asked == nil else { return waiting.append(call) }
        append(digest.map { [Array("EVALSHA".utf8), $0] + arguments.words } ?? evaluate(arguments), now: now)
        pending.append(call)
        if now >= askAt { observe(now: now) }
    }

    private mutating func observe(now: Int64) {
        askAt = now + Self.informationInterval
        guard observes, isReady else { return }
        append([Array("INFO".utf8), Array("memory".utf8)], now: now)
        if isOpen { pending.append(.information) }
        append([Array("TIME".utf8)], now: now)
        if isOpen { pending.append(.time(Clock.wall())) }
    }

    /// Sends what was appended.
    package mutating func flush(now: Int64) {
        do throws(RedisError) {
            if let done = try connection?.flush() { isFlushed = done }
        } catch {
            lose(error, now: now)
        }
    }

    /// The socket is readable or writable.
    package mutating func ready(readable: Bool, writable: Bool, now: Int64) {
        if writable, !isFlushed { flush(now: now) }
        guard readable else { return }
        do throws(RedisError) {
            try connection?.receive()
            while let reply = try connection?.nextReply() { try take(reply, now: now) }
        } catch {
            return lose(error, now: now)
        }
        flush(now: now)
    }

    /// Time has passed: connects when it is due, gives up what is late.
    ///
    /// - Returns: when to call again, in nanoseconds of the monotonic clock; nil when there is nothing to wait for.
    package mutating func tick(now: Int64) -> Int64? {
        if !isOpen {
            guard now >= deadline else { return deadline }
            open(now: now)
        }
        if let due = due(), isOpen {
            guard now >= due else { return due }
            // The answer may have arrived while this process was busy.
            ready(readable: true, writable: false, now: now)
            if isOpen, let due = self.due(), now >= due { lose(late(), now: now) }
        }
        return isOpen ? due() : deadline
    }

    /// A switch, since comparing an optional of what cannot be copied with nil has been seen to destroy it (Swift 6.3.1).
    private var isOpen: Bool {
        switch connection {
        case .some: true
        case nil: false
        }
    }

    private func late() -> RedisError {
        let what =
            switch connection {
            case .some(let connection): connection.isHandshaking ? "no TLS handshake" : "no answer"
            case nil: "no connection"
            }
        return RedisError(operation: "wait", message: "\(what) within \(patience / 1_000_000) ms")
    }

    private func due() -> Int64? { isReady ? pending.callDeadline : deadline }

    private mutating func open(now: Int64) {
        guard let sentinels = server.sentinels else { return connect(to: server.address, now: now) }
        round.begin(among: sentinels.servers)
        ask(sentinels, now: now)
    }

    private mutating func ask(_ sentinels: Sentinels, now: Int64) {
        guard let place = round.next(among: sentinels.servers) else { return }
        asked = place
        openings += 1
        deadline = now + patience
        do throws(RedisError) {
            connection = try RedisConnection.open(.tcp(host: place.host, port: place.port), tls: server.tls)
        } catch {
            return lose(error, now: now)
        }
        if let credentials = sentinels.credentials { greet(credentials, .greeting, now: now) }
        greet(sentinels.question, .master, now: now)
        flush(now: now)
    }

    private mutating func connect(to address: RedisServer.Address, now: Int64) {
        openings += 1
        deadline = now + patience
        do throws(RedisError) {
            connection = try RedisConnection.open(address, tls: server.tls)
            if !server.password.isEmpty {
                let credentials = server.user.isEmpty ? [server.password] : [server.user, server.password]
                greet(["AUTH"] + credentials, .greeting, now: now)
            }
            if server.database != 0 { greet(["SELECT", "\(server.database)"], .greeting, now: now) }
            append([Array("SCRIPT".utf8), Array("LOAD".utf8), script], now: now)
            pending.append(.digest)
            append(evaluate(probe), now: now)
            pending.append(.probe)
            for case .call(let number, let arguments, let deadline) in waiting {
                append(evaluate(arguments), now: now)
                pending.append(.call(number, arguments, deadline: deadline))
            }
            waiting.removeAll()
            asked = nil
        } catch {
            return lose(error, now: now)
        }
        flush(now: now)
    }

    private mutating func greet(_ words: [String], _ reply: PendingReplies.Expected, now: Int64) {
        append(words.map { Array($0.utf8) }, now: now)
        pending.append(reply)
    }

    private func evaluate(_ arguments: Arguments) -> [[UInt8]] {
        [Array("EVAL".utf8), script] + arguments.words
    }

    private mutating func append(_ words: [[UInt8]], now: Int64) {
        do throws(RedisError) {
            try connection?.append(words)
            isFlushed = false
        } catch {
            lose(error, now: now)
        }
    }

    private mutating func take(_ reply: RedisReply, now: Int64) throws(RedisError) {
        guard let expectation = pending.next() else { throw RedisError(operation: "reply", message: "unasked for") }
        switch (expectation, reply) {
        case (.greeting, .status): break
        case (.master, _):
            guard let address = try server.sentinels?.master(in: reply) else { break }
            // The answer to the one question: nothing else is expected from the Sentinel.
            _ = pending.removeAll()
            connection = nil
            connect(to: address, now: now)
        case (.information, _): observation.note(information: reply)
        case (.time(let asked), _): observation.note(time: reply, asked: asked)
        case (.digest, .text(let text)): digest = Array(text.utf8)
        case (.probe, .integers):
            isReady = true
            readyAt = now
            failure = nil
            observe(now: now)
        case (.call(let number, _, _), .integers(let integers)):
            results.append((number, integers))
        case (.call(let number, let arguments, let deadline), .error(let text)) where text.hasPrefix("NOSCRIPT"):
            // Somebody flushed the scripts; EVAL also stores it again.
            append(evaluate(arguments), now: now)
            pending.append(.call(number, arguments, deadline: deadline))
        case (.call(let number, _, _), .error(let text)):
            results.append((number, nil))
            // Another value under this one key is no failure of Redis.
            if text.hasPrefix("WRONGTYPE") || text.hasPrefix("ERR") { break }
            throw RedisError(operation: "call", message: text)
        case (.probe, .error(let text)): throw RedisError(operation: "call", message: text)
        case (_, .error(let text)): throw RedisError(operation: "greeting", message: text)
        default: throw RedisError(operation: "reply", message: "not of the expected kind")
        }
    }

    private mutating func lose(_ error: RedisError, now: Int64) {
        var error = error
        var calls = pending.removeAll()
        if let sentinels = server.sentinels, let asked {
            connection = nil
            // One Sentinel that is down is no failure of Redis.
            guard round.isOver else { return ask(sentinels, now: now) }
            error = RedisError("Sentinel", asked, error)
        }
        for case .call(let number, _, _) in waiting { calls.append(number) }
        results += calls.map { ($0, nil) }
        waiting.removeAll()
        asked = nil
        digest = nil
        connection = nil
        isFlushed = true
        failure = error
        if isReady && now - readyAt >= Self.probation { delay = Self.firstDelay }
        isReady = false
        deadline = now + Int64.random(in: delay / 2...delay)
        delay = min(delay * 2, Self.longestDelay)
    }
}
