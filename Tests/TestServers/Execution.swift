internal import Foundation

/// A program that was run to its end.
package struct Execution: Sendable {
    package let status: Int32
    package let output: String
    package let errors: String

    /// Runs a program and waits for it.
    ///
    /// - Parameters:
    ///   - environment: all it gets; PATH comes from this process.
    ///   - input: what it reads on standard input.
    package static func run(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], input: String = ""
    ) throws -> Execution {
        let running = try Running(path, arguments, environment: environment, input: input)
        return running.wait()
    }

    /// The program of this package with a name, beside the test bundle.
    package static func program(_ name: String) -> String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// A program that was started. It writes to files, so that no pipe fills up.
    package final class Running {
        private let process = Process()
        private let folder: URL

        package init(
            _ path: String, _ arguments: [String], environment: [String: String] = [:], input: String = ""
        ) throws {
            folder = URL(fileURLWithPath: "/tmp/mesher-run.\(UInt64.random(in: .min ... .max))")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
            for (name, content) in [("in", input), ("out", ""), ("err", "")] {
                try Data(content.utf8).write(to: folder.appendingPathComponent(name))
            }
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = arguments
            let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
            process.environment = environment.merging(["PATH": path]) { given, _ in given }
            process.standardInput = try FileHandle(forReadingFrom: folder.appendingPathComponent("in"))
            process.standardOutput = try FileHandle(forWritingTo: folder.appendingPathComponent("out"))
            process.standardError = try FileHandle(forWritingTo: folder.appendingPathComponent("err"))
            try process.run()
        }

        deinit {
            if process.isRunning { process.terminate() }
            try? FileManager.default.removeItem(at: folder)
        }

        package var output: String { read("out") }

        package func interrupt() {
            process.interrupt()
        }

        package func wait() -> Execution {
            process.waitUntilExit()
            return Execution(status: process.terminationStatus, output: output, errors: read("err"))
        }

        private func read(_ name: String) -> String {
            (try? Data(contentsOf: folder.appendingPathComponent(name))).map { String(decoding: $0, as: UTF8.self) }
                ?? ""
        }
    }
}

/// Asks again and again until the answer is yes; false when it never was within the time.
package func eventually(within seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while try !condition() {
        if Date() >= deadline { return false }
        usleep(10_000)
    }
    return true
}
