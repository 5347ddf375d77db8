import Foundation
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

    private let process = Process()
    private let output = Pipe()
    private let script: String

    /// wrk does not wait for answers at its end: for so many seconds it only asks whether a worker is there, and all that
    /// was posted is answered meanwhile.
    private static let drain = 2

    /// Starts it.
    ///
    /// - Parameter seconds: how long events are posted.
    init(on project: Project, seconds: Int, connections: Int = 64) throws {
        script = project.stack.folder + "/load-\(UInt32.random(in: 0 ... .max)).lua"
        try Self.source(key: project.key, seconds: seconds).write(toFile: script, atomically: true, encoding: .utf8)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/wrk")
        process.arguments = [
            "-t1", "-c\(connections)", "-d\(seconds + Self.drain)", "--timeout", "20s", "-s", script,
            "http://127.0.0.1:\(project.stack.port)/api/v1/events",
        ]
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    var isRunning: Bool { process.isRunning }

    /// Waits until it is over.
    func result() throws -> Result {
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: script)
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

    private static func source(key: String, seconds: Int) -> String {
        """
        local threads = {}
        local post, get, stop
        function setup(thread) table.insert(threads, thread) end
        function init(args)
            answers = {}
            post = wrk.format('POST', '/api/v1/events', {
                ['Content-Type'] = 'application/json', ['X-Sentry-Auth'] = 'Sentry sentry_key=\(key), sentry_version=7'
            }, '{"message":"It broke","level":"error","tags":{"region":"eu-west-1"}}')
            get = wrk.format('GET', '/healthz')
            stop = os.time() + \(seconds)
        end
        function request() return os.time() < stop and post or get end
        function response(status) answers[status] = (answers[status] or 0) + 1 end
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
