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
    static let programs = environment("MESHER_STACK_BIN") ?? root + "/.build/release"
    /// The debug builds, into which faults can be injected.
    static let debugPrograms = URL(fileURLWithPath: Execution.program("")).path

    /// Whether there are programs to test; `make build` makes them.
    static var isBuilt: Bool {
        ["mesher", "mesher-watchdog", "mesher-storage", "mesher-worker", "mesher-stream"].allSatisfy {
            access("\(programs)/\($0)", X_OK) == 0
        }
    }

    /// The folder of data, logs and `env`.
    let folder: String
    let port: Int
    /// What `env` says.
    let variables: [String: String]
    /// A shell that takes the stack down when it is told so by a file, and when the tests have died.
    private let keeper: Mutex<Execution.Running>

    private static let keep = """
        "$2" up "${@:3}" >"$MESHER_STACK_DIR/up.log" 2>&1 && touch "$MESHER_STACK_DIR/is-up" ||
            touch "$MESHER_STACK_DIR/failed"
        while kill -0 "$1" && ! [ -e "$MESHER_STACK_DIR/stop" ]; do sleep 0.1; done
        "$2" down
        umount --quiet --lazy "$MESHER_STACK_DIR"
        rm -rf "$MESHER_STACK_DIR"
        """

    /// Starts everything and returns when it is ready.
    ///
    /// - Parameters:
    ///   - settings: `NAME=value` each, settings of Mesher.
    ///   - programs: the folder of the programs.
    ///   - megabytes: the size of a file system of its own for all its data and logs, which only root can make.
    init(settings: [String] = [], programs: String = Stack.programs, megabytes: Int? = nil) throws {
        folder = try Self.makeFolder()
        if let megabytes {
            guard mount("tmpfs", folder, "tmpfs", 0, "size=\(megabytes)m,mode=711") == 0 else {
                rmdir(folder)
                throw Failure(description: "mount: errno \(errno)")
            }
        }
        port = Self.freePort()
        var environment = ["HOME": NSHomeDirectory()]
        environment["MESHER_STACK_DIR"] = folder
        environment["MESHER_STACK_BIN"] = programs
        environment["MESHER_PORT"] = "\(port)"
        // In a session of its own, so that Ctrl-C ends the tests and leaves it to clean up.
        keeper = Mutex(
            try Execution.Running(
                "/usr/bin/setsid",
                ["bash", "-c", Self.keep, "stack", "\(getpid())", Self.root + "/development/stack"] + settings,
                environment: environment))
        let files = FileManager.default
        let (isUp, failed) = (folder + "/is-up", folder + "/failed")
        let isDecided = eventually { files.fileExists(atPath: isUp) || files.fileExists(atPath: failed) }
        guard isDecided, files.fileExists(atPath: isUp) else {
            let log = (try? String(contentsOfFile: folder + "/up.log", encoding: .utf8)) ?? ""
            Self.end(keeper, folder)
            throw Failure(description: log)
        }
        variables = try Self.read(folder + "/env")
    }

    /// Stops everything and removes the folder.
    func stop() {
        Self.end(keeper, folder)
    }

    private static func end(_ keeper: borrowing Mutex<Execution.Running>, _ folder: String) {
        _ = FileManager.default.createFile(atPath: folder + "/stop", contents: nil)
        keeper.withLock { _ = $0.wait() }
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
            ], environment: ["PGTZ": "UTC"])
        return output.isEmpty ? [] : output.components(separatedBy: "\n").map { $0.components(separatedBy: "\t") }
    }

    /// Lets storage see no event that is stored: what it has stored under an id on another day does not stop it any more.
    func hideEvents() throws {
        _ = try query(
            """
            ALTER TABLE events ENABLE ROW LEVEL SECURITY;
            CREATE POLICY store ON events FOR INSERT TO mesher_runtime WITH CHECK (true)
            """)
    }

    /// Takes away what keeps an event that is sent again from being stored again, where storage does not see it stored: its
    /// key, and near midnight its claim.
    func dropPrimaryKey() throws {
        for table in ["events", "event_claims"] { _ = try query("ALTER TABLE \(table) DROP CONSTRAINT \(table)_pkey") }
        try prolongStatements()
    }

    /// Lets each statement that stores events last for some time, so that a death mostly finds one under way.
    func prolongStatements() throws {
        _ = try query(
            """
            CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END $$;
            CREATE TRIGGER linger BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION linger()
            """)
    }

    /// Runs the operator's command line against this stack and returns what it prints.
    @discardableResult
    func mesher(_ arguments: String...) throws -> String {
        try Execution.output([self["MESHER_BIN"] + "/mesher"] + arguments, environment: variables)
    }

    // MARK: Making one

    private static func makeFolder() throws -> String {
        var template = Array("/tmp/mesher-test.XXXXXX".utf8CString)
        // PostgreSQL runs as another user when the tests are root, and must get through.
        guard mkdtemp(&template) != nil, chmod(template, 0o711) == 0 else { throw Failure(description: "mkdtemp") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The port that was chosen last. In steps of five from there on, no stack of this process gets another's.
    private static let lastPort = Mutex(Int.random(in: 20_000...29_000))

    /// A port that nobody listens on, nor on those that follow it: of streams, of a test's own nginx and the one before it,
    /// of the operator.
    private static func freePort() -> Int {
        while true {
            let port = lastPort.withLock { last in
                last = last < 30_000 ? last + 5 : last - 10_000
                return last
            }
            if [port, port + 1, port + 2, port + 3, port + 1_384].allSatisfy({ (try? HTTPConnection(port: $0)) == nil })
            {
                return port
            }
        }
    }

    private static func read(_ path: String) throws -> [String: String] {
        let output = try Execution.output(["bash", "-c", ". \"$1\"; env", "bash", path])
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
