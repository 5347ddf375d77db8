import Foundation
import TestServers
import Testing

/// wrk at full load on a stack: single events from many connections, each answer looked at.
final class Load {
    /// What the clients saw.
    struct Result {
        /// Answers by status.
        let answers: [Int: Int]
        /// Connections refused, broken or timed out.
        let socketErrors: Int

        var accepted: Int { answers[202] ?? 0 }
        /// Anything but what a request is to have.
        var failures: Int { answers.filter { $0.key != 202 && $0.key != 200 }.values.reduce(0, +) + socketErrors }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let process: Execution.Running
    private let script: String

    /// wrk does not wait for answers at its end. Before it, each connection asks so often on average, and for two seconds,
    /// whether a worker is there: all that was posted is answered by then, however slow the machine is.
    private static let drain = 50
    /// The most seconds that takes.
    private static let patience = 120

    private var stopFile: String { script + ".stop" }
    private var drainedFile: String { script + ".drained" }

    /// Starts it.
    ///
    /// - Parameter seconds: how long events are posted unless `finish` comes before.
    init(on project: Project, seconds: Int, connections: Int = 64) throws {
        script = project.stack.folder + "/load-\(UInt32.random(in: 0 ... .max)).lua"
        try Self.source(key: project.key, seconds: seconds, connections: connections, script).write(
            toFile: script, atomically: true, encoding: .utf8)
        process = try Execution.Running(
            "/usr/bin/wrk",
            [
                "-t1", "-c\(connections)", "-d\(seconds + Self.patience)", "--timeout", "20s", "-s", script,
                "http://127.0.0.1:\(project.stack.port)/api/v1/events",
            ])
    }

    var isRunning: Bool { process.isRunning }

    /// Posts nothing from the next second on, and waits until it is over.
    func finish() throws -> Result {
        _ = FileManager.default.createFile(atPath: stopFile, contents: nil)
        return try result()
    }

    /// Waits until it is over.
    func result() throws -> Result {
        let isDrained = eventually(within: 1_000) { access(drainedFile, F_OK) == 0 || !process.isRunning }
        if isDrained { process.interrupt() }
        let text = process.wait().output
        for file in [script, stopFile, drainedFile] { unlink(file) }
        var answers: [Int: Int] = [:]
        var errors: Int?
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, let count = Int(words[2]) else { continue }
            if words[0] == "answers", let status = Int(words[1]) { answers[status] = count }
            if words[0] == "errors" { errors = count }
        }
        guard let errors else { throw Failure(description: text) }
        return Result(answers: answers, socketErrors: errors)
    }

    private static func source(key: String, seconds: Int, connections: Int, _ script: String) -> String {
        """
        local threads = {}
        local post, get, last, looked, stopped
        local asked = 0
        local function exists(path)
            local file = io.open(path)
            if file then file:close() end
            return file ~= nil
        end
        function setup(thread) table.insert(threads, thread) end
        function init(args)
            answers = {}
            post = wrk.format('POST', '/api/v1/events', {
                ['Content-Type'] = 'application/json', ['X-Sentry-Auth'] = 'Sentry sentry_key=\(key), sentry_version=7'
            }, '{"message":"It broke","level":"error","tags":{"region":"eu-west-1"}}')
            get = wrk.format('GET', '/healthz')
            last = os.time() + \(seconds)
        end
        function request()
            local now = os.time()
            if not stopped and now ~= looked then
                looked = now
                if now >= last or exists('\(script).stop') then stopped = now end
            end
            return stopped and get or post
        end
        function response(status)
            answers[status] = (answers[status] or 0) + 1
            if not stopped then return end
            asked = asked + 1
            if asked >= \(drain * connections) and os.time() >= stopped + 2 then
                io.open('\(script).drained', 'w'):close()
            end
        end
        function done(summary)
            for _, thread in ipairs(threads) do
                for status, count in pairs(thread:get('answers')) do
                    io.write(string.format('answers %d %d\\n', status, count))
                end
            end
            local errors = summary.errors
            io.write(string.format('errors all %d\\n', errors.connect + errors.read + errors.write + errors.timeout))
        end
        """
    }
}
