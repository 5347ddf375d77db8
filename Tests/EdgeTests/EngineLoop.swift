import Edge
import Glibc
import Ingestion
import Logging
import Redis
import StorageChannel
import Synchronization
import System
import TestServers

/// An engine with the loop around it, between a real Redis and an end that plays storage.
struct EngineLoop: ~Copyable {
    static let key = KeyID(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)

    var engine: Engine
    let storage: StorageEnd
    let said: Said
    private(set) var answers: [Int: Answer] = [:]
    private let epoll: Epoll

    /// - Parameter redisSocket: where Redis listens.
    init(_ use: RedisUse, redisSocket: String) throws {
        ProcessAttributes.ignoreBrokenPipes()
        let epoll = try Epoll(capacity: 4)
        storage = try StorageEnd(ProjectQuota(project: 7, events: 1_000, seconds: 60))
        self.epoll = epoll
        let said = Said()
        self.said = said
        let options = Engine.Options(
            storageSocket: storage.path, pendingLimit: 16 << 20, redis: RedisServer(address: .unix(redisSocket)),
            redisPrefix: "mesher:limit:", redisUse: use)
        engine = Engine(
            IngestionMachine(options: .init()), options, storageToken: 1, redisToken: 2,
            log: said.logger)
        engine.machine.openStream(Self.key)
    }

    /// An event is received.
    mutating func send(token: Int) {
        let text = #"{"message":"it broke","level":"error"}"#
        var body = Body(count: text.utf8.count)
        body.withUnsafeMutableBytes { $0.copyBytes(from: text.utf8) }
        engine.machine.receive(
            message: body, firstID: UInt128(token), token: token, now: Clock.monotonic(), wall: Clock.wall())
    }

    /// Turns until a condition holds.
    ///
    /// - Parameters:
    ///   - ahead: nanoseconds by which its clock is ahead, for what needs a wait.
    ///   - sharers: the processes that share Redis's connections.
    mutating func run(
        _ what: String, ahead: Int64 = 0, sharers: Int = 1, until condition: (borrowing EngineLoop) -> Bool
    ) throws {
        let limit = Clock.monotonic() + 30_000_000_000
        while !condition(self) {
            guard Clock.monotonic() < limit else { throw Overdue(description: "never came: \(what)") }
            try turn(now: Clock.monotonic() + ahead, sharers: sharers)
            try storage.step()
        }
    }

    private mutating func turn(now: Int64, sharers: Int) throws {
        _ = try engine.prepare(now: now, sharers: sharers, in: epoll) { token, reply, _ in
            if case .answer(let answer) = reply { answers[token] = answer }
        }
        for position in 0..<(try epoll.wait(nanoseconds: 1_000_000)) {
            let event = epoll[position]
            if event.token == 1 { engine.storageReady(event, now: now) } else { engine.redisReady(event, now: now) }
        }
        engine.finishTurn(now: now) { token, reply, _ in
            if case .answer(let answer) = reply { answers[token] = answer }
        }
    }
}

struct Overdue: Error, CustomStringConvertible {
    let description: String
}

/// What was logged.
final class Said: Sendable {
    private let lines = Mutex<[String]>([])
    var messages: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "edge") { _ in Handler(said: self) } }

    private struct Handler: LogHandler {
        let said: Said
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            said.lines.withLock { $0.append("\(event.level): \(event.message) \(event.metadata ?? [:])") }
        }
    }
}
