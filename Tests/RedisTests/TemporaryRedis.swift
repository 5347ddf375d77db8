import Foundation
import Ingestion
import System

@testable import Redis

/// A Redis of the test's own on a unix socket, in a folder that goes with it.
final class TemporaryRedis {
    let directory: String
    var socket: String { directory + "/redis.sock" }
    private let options: [String]
    private var process: Process?

    init(options: [String] = []) throws {
        directory = "/tmp/mesher-redis-\(UInt32.random(in: 0 ... .max))"
        self.options = options
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        try start()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    func start() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-server")
        process.arguments =
            ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", directory, "--logfile", "log"] + options
        try process.run()
        self.process = process
        try eventually("Redis listens") { FileManager.default.fileExists(atPath: socket) }
    }

    /// Ends it at once, SIGKILL.
    func stop() {
        guard let process else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        self.process = nil
        try? FileManager.default.removeItem(atPath: socket)
    }

    func suspend() {
        if let process { kill(process.processIdentifier, SIGSTOP) }
    }

    func resume() {
        if let process { kill(process.processIdentifier, SIGCONT) }
    }

    /// Runs redis-cli(1) and returns what it prints.
    @discardableResult
    func command(_ words: String...) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-cli")
        process.arguments = ["-s", socket] + words
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

struct Overdue: Error, CustomStringConvertible {
    let description: String
}

/// Waits until a condition holds, a minute at most.
func eventually(_ what: String, _ condition: () throws -> Bool) throws {
    let deadline = Clock.monotonic() + 60_000_000_000
    while try !condition() {
        guard Clock.monotonic() < deadline else { throw Overdue(description: "never came: \(what)") }
        var pause = timespec(tv_sec: 0, tv_nsec: 1_000_000)
        nanosleep(&pause, nil)
    }
}

/// A client and the loop around it.
struct Loop: ~Copyable {
    var client: ScriptClient
    private let epoll: Epoll
    private var watch = ClientSocketWatch(token: 0)

    init(
        _ server: RedisServer, script: StaticString, patience: Int64 = ScriptClient.patience,
        observes: Bool = false
    ) throws {
        ProcessAttributes.ignoreBrokenPipes()
        let probe = LimitScript.Call.probe
        client = ScriptClient(
            server, script: script,
            probe: ScriptClient.Arguments(key: probe.key(prefix: "mesher:limit:"), values: probe.arguments),
            patience: patience, observes: observes)
        epoll = try Epoll(capacity: 1)
    }

    /// Runs until a condition holds, ten seconds at most.
    mutating func run(until condition: (borrowing ScriptClient) -> Bool) throws {
        let limit = Clock.monotonic() + 60_000_000_000
        while true {
            let wake = client.tick(now: Clock.monotonic())
            client.flush(now: Clock.monotonic())
            if condition(client) { return }
            try watch.update(client.socket, in: epoll)
            guard Clock.monotonic() < limit else { throw Overdue(description: "the client never came so far") }
            let pause = min(wake.map { max(0, $0 - Clock.monotonic()) } ?? .max, 100_000_000)
            for position in 0..<(try epoll.wait(nanoseconds: pause)) {
                let event = epoll[position]
                client.ready(readable: event.readable, writable: event.writable, now: Clock.monotonic())
            }
        }
    }

    /// The results of the calls made, when there are as many.
    mutating func results(_ count: Int) throws -> [UInt64: [Int64]?] {
        try run { $0.results.count >= count }
        let results = client.results
        client.results.removeAll()
        return Dictionary(uniqueKeysWithValues: results.map { ($0.call, $0.integers) })
    }
}
