internal import Glibc

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
        try Running(path, arguments, environment: environment, input: input).wait()
    }

    /// The program of this package with a name, beside the test bundle.
    package static func program(_ name: String) -> String {
        let bundle = CommandLine.arguments[0]
        return (bundle.lastIndex(of: "/").map { bundle[...$0] } ?? "./") + name
    }

    /// A program that was started. It writes to files, so that no pipe fills up.
    package final class Running {
        private let process: ChildProcess
        private let files: [CInt]

        /// - Parameter listener: its standard input instead of `input`, such as a socket on which it listens.
        package init(
            _ path: String, _ arguments: [String], environment: [String: String] = [:], input: String = "",
            listener: CInt? = nil
        ) throws {
            // Without a name there is nothing to clean up.
            files = (0..<3).map { _ in
                let path = "/tmp/mesher-run.\(UInt64.random(in: .min ... .max))"
                let number = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
                unlink(path)
                return number
            }
            let start = files[0]
            _ = input.withCString { write(start, $0, input.utf8.count) }
            lseek(start, 0, SEEK_SET)
            var environment = environment
            if let path = getenv("PATH") { environment["PATH"] = String(cString: path) }
            process = try ChildProcess(
                [path] + arguments, environment: environment.map { "\($0)=\($1)" },
                descriptors: [listener ?? files[0], files[1], files[2]])
        }

        deinit {
            process.send(SIGKILL)
            process.wait()
            for file in files { close(file) }
        }

        /// What it has written so far.
        package var output: String { read(files[1]) }
        package var errors: String { read(files[2]) }

        package var isRunning: Bool { process.isRunning }

        package func interrupt() {
            process.send(SIGINT)
        }

        package func terminate() {
            process.send(SIGTERM)
        }

        package func wait() -> Execution {
            let status = process.wait()
            return Execution(status: status, output: output, errors: read(files[2]))
        }

        private func read(_ file: CInt) -> String {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 4096)
            while case let count = pread(file, &chunk, chunk.count, off_t(bytes.count)), count > 0 {
                bytes += chunk[..<count]
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

/// Asks again and again until the answer is yes; false when it never was within so many seconds.
package func eventually(within seconds: Double = 120, _ condition: () throws -> Bool) rethrows -> Bool {
    func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    let deadline = now() + seconds
    while now() < deadline {
        if try condition() { return true }
        usleep(10_000)
    }
    return try condition()
}
