import Foundation
import Synchronization
import TestServers

/// A private Mesher with all its programs and servers, started by `development/stack` on a free port and in a folder of
/// its own, so that it disturbs no other.
final class Stack: Sendable {
    /// The stack of the tests that share one.
    @TaskLocal static var current: Stack?

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    private static let programs = environment("MESHER_STACK_BIN") ?? root + "/.build/release"

    /// Whether there are programs to test; `make build` makes them.
    static var isBuilt: Bool {
        ["mesher", "mesher-watchdog", "mesher-storage", "mesher-worker"].allSatisfy {
            access("\(programs)/\($0)", X_OK) == 0
        }
    }

    /// The folder of data, logs and `env`.
    let folder: String
    let port: Int
    /// What `env` says.
    let variables: [String: String]
    /// A shell that takes the stack down as soon as its standard input ends, also because the tests have died.
    private let keeper: ChildProcess
    private let lifeline: Mutex<CInt?>

    /// Starts everything and returns when it is ready.
    ///
    /// - Parameter settings: `NAME=value` each, settings of Mesher.
    init(settings: [String] = []) throws {
        folder = try Self.makeFolder()
        port = Self.freePort()
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("MESHER_") }
        environment["MESHER_STACK_DIR"] = folder
        environment["MESHER_STACK_BIN"] = Self.programs
        environment["MESHER_PORT"] = "\(port)"
        let script = """
            trap '' INT TERM HUP
            "$1" up "${@:2}" </dev/null >"$MESHER_STACK_DIR/up.log" 2>&1 && echo up || cat "$MESHER_STACK_DIR/up.log"
            exec >/dev/null 2>&1
            cat
            "$1" down
            rm -rf "$MESHER_STACK_DIR"
            """
        // Ends that no other program of the tests inherits: one that held it would keep the stack alive.
        let input = ChildProcess.pipe()
        let output = ChildProcess.pipe()
        defer {
            close(input.read)
            close(output.read)
        }
        keeper = try ChildProcess(
            ["/bin/bash", "-c", script, "stack", Self.root + "/development/stack"] + settings,
            environment: environment.map { "\($0)=\($1)" }, descriptors: [input.read, output.write, STDERR_FILENO])
        close(output.write)
        let reader = FileHandle(fileDescriptor: output.read)
        let said = String(decoding: try reader.readToEnd() ?? Data(), as: UTF8.self)
        guard said == "up\n" else {
            close(input.write)
            keeper.wait()
            throw Failure(description: said)
        }
        lifeline = Mutex(input.write)
        variables = try Self.read(folder + "/env")
    }

    /// Stops everything and removes the folder.
    func stop() {
        lifeline.withLock { end in
            if let number = end { close(number) }
            end = nil
        }
        keeper.wait()
    }

    /// A value of `env`, empty when it is not there.
    subscript(name: String) -> String {
        variables[name] ?? ""
    }

    // MARK: What tests ask of it

    /// Sends one request on a connection of its own and reads the answer.
    func request(
        _ method: String, _ target: String, _ headers: [(String, String)] = [], body: [UInt8] = []
    ) throws -> HTTPResponse {
        let connection = try HTTPConnection(port: port)
        connection.send(method, target, headers + [("Connection", "close")], body: body)
        return try connection.receive()
    }

    /// Posts text with a key.
    func post(
        _ body: String, to target: String = "/api/v1/events", key: String, _ headers: [(String, String)] = []
    ) throws -> HTTPResponse {
        try request("POST", target, [("Authorization", "Bearer \(key)")] + headers, body: Array(body.utf8))
    }

    /// The rows of a query, a column parted from the next by a tab; times are in UTC.
    func query(_ sql: String) throws -> [[String]] {
        let output = try Execution.output(
            [
                "psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--field-separator=\t",
                "--set=ON_ERROR_STOP=1", "--dbname=" + self["MESHER_DATABASE_URL"], "--command=" + sql,
            ], environment: ["PATH": "/usr/bin:/bin", "PGTZ": "UTC"])
        return output.isEmpty ? [] : output.components(separatedBy: "\n").map { $0.components(separatedBy: "\t") }
    }

    /// Runs the operator's command line against this stack and returns what it prints.
    @discardableResult
    func mesher(_ arguments: String...) throws -> String {
        try Execution.output([Self.programs + "/mesher"] + arguments, environment: variables)
    }

    // MARK: Making one

    private static func makeFolder() throws -> String {
        var template = Array("/tmp/mesher-test.XXXXXX".utf8CString)
        // PostgreSQL runs as another user when the tests are root, and must get through.
        guard mkdtemp(&template) != nil, chmod(template, 0o711) == 0 else { throw Failure(description: "mkdtemp") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A port that nobody listens on, nor on the operator's port that follows it.
    private static func freePort() -> Int {
        while true {
            let port = Int.random(in: 20_000...30_000)
            if [port, port + 1, port + 1_384].allSatisfy({ (try? HTTPConnection(port: $0)) == nil }) { return port }
        }
    }

    private static func read(_ path: String) throws -> [String: String] {
        let names = "env -i bash -c 'set -a; . \"$1\"; env' bash"
        let output = try Execution.output(["bash", "-c", "\(names) \"$1\"", "bash", path])
        let pairs = output.components(separatedBy: "\n").compactMap { line -> (String, String)? in
            guard line.hasPrefix("MESHER_"), let equals = line.firstIndex(of: "=") else { return nil }
            return (String(line[..<equals]), String(line[line.index(after: equals)...]))
        }
        return Dictionary(pairs) { $1 }
    }

    private static func environment(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name]
    }
}
