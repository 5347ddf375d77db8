import Foundation
import PostgreSQL
import Schema
import Spool
import System
import TestServers

/// mesher-storage with a run directory and a database of its own; it is killed when this is lost.
final class StorageProcess {
    let database: String
    let server: PostgreSQLServer
    private let folder: URL
    private var process = Process()
    private let errors: URL
    private var environment: [String: String]
    private let isSupervised: Bool

    /// Starts the program on a migrated database, as a role that is a member of `mesher_runtime`, and waits until it
    /// listens.
    ///
    /// - Parameters:
    ///   - prepare: SQL that the owner runs before.
    ///   - url: another URL than that of the database.
    ///   - authority: the CA by which it trusts the server, over TLS.
    ///   - hostsBefore: servers that the URL names before the right one, and `options` what it ends with.
    ///   - isSupervised: a shell is its parent, and it says when it is ready.
    init(
        server: PostgreSQLServer? = nil, url: String? = nil, trusting authority: CertificateAuthority? = nil,
        hostsBefore: [PostgreSQLServer] = [],
        options: String = "", settings: [String: String] = [:], prepare: String = "", isSupervised: Bool = false
    ) throws {
        self.server = try server ?? PostgreSQLServer.shared.get()
        database = try self.server.createDatabase()
        let owner = try Connection.open(self.server.url(database: database), applicationName: "tests")
        try Self.prepare(owner, prepare)
        let role = "storage_\(database)"
        try owner.execute("CREATE ROLE \(role) LOGIN IN ROLE mesher_runtime")
        let hosts = (hostsBefore + [self.server]).map(\.folder).joined(separator: ",")
        var ownURL = "postgresql:///\(database)?host=\(hosts)&user=\(role)\(options)"
        if let authority {
            ownURL = self.server.url(database: database, user: role, trusting: authority.certificate)
        }

        folder = URL(fileURLWithPath: "/tmp/mesher-st.\(UInt32.random(in: .min ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("state"), withIntermediateDirectories: false)
        errors = folder.appendingPathComponent("errors")
        try Data().write(to: errors)
        self.isSupervised = isSupervised
        environment = settings.merging([
            "MESHER_RUN_DIR": folder.path,
            "MESHER_STATE_DIR": folder.appendingPathComponent("state").path,
            "MESHER_STORAGE_DATABASE_URL": url ?? ownURL,
        ]) { given, _ in given }
        try start()
    }

    /// Makes the schema in a database, runs SQL there, and adds the projects of the tests' events, as far as they are not there.
    static func prepare(_ owner: borrowing Connection, _ sql: String) throws {
        _ = try Migrator().migrate(owner)
        try owner.execute(sql)
        try owner.execute(
            """
            INSERT INTO organizations (slug) VALUES ('tests');
            INSERT INTO projects (id, organization_id, slug) OVERRIDING SYSTEM VALUE
            SELECT id, (SELECT max(id) FROM organizations), 'tests-' || id FROM generate_series(1, 9) AS id
            ON CONFLICT DO NOTHING
            """)
    }

    /// Starts the program, in the beginning and after it has ended, and waits until it listens.
    func start() throws {
        process = Process()
        let program = Execution.program("mesher-storage")
        process.executableURL = URL(fileURLWithPath: isSupervised ? "/bin/sh" : program)
        if isSupervised {
            let script = #"MESHER_READY_FD=7 "$0" 7>"$MESHER_RUN_DIR/ready" & wait"#
            process.arguments = ["-c", script, program]
        }
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        let output = try FileHandle(forWritingTo: errors)
        try output.seekToEnd()
        process.standardError = output
        try process.run()
        let path = socketPath
        _ = eventually { (try? TestEdge(path)) != nil }
    }

    /// Starts the program again after its end, in the same directories.
    ///
    /// - Parameter settings: instead of those of the same names; nil takes one away.
    func restart(settings: [String: String?] = [:]) throws {
        process.waitUntilExit()
        environment = settings.reduce(into: environment) { $0[$1.key] = $1.value }
        unlink(socketPath)
        try start()
    }

    var stateDirectory: String { folder.appendingPathComponent("state").path }
    var spool: String { folder.appendingPathComponent("state/spool").path }

    /// Names of the files of the spool that end so.
    func spoolFiles(_ suffix: String = ".segment") -> [String] {
        let directory = suffix == ".segment" ? spool : spool + "/quarantine"
        return ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter { $0.hasSuffix(suffix) }
    }

    deinit {
        if process.isRunning { kill() }
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    var socketPath: String { folder.appendingPathComponent("storage.sock").path }
    var databaseURL: String { environment["MESHER_STORAGE_DATABASE_URL"] ?? "" }
    /// The snapshot of the keys.
    var keysPath: String { folder.appendingPathComponent("state/keys").path }
    /// How many keys in force the snapshot has.
    var keptKeys: Int {
        let bytes = Array(FileManager.default.contents(atPath: keysPath) ?? Data())
        return bytes.withUnsafeBytes { (try? KeySnapshot(decoding: $0, places: nil))?.quotas.count ?? 0 }
    }
    var log: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }
    /// What it wrote to the descriptor of its readiness.
    var announcement: String? { try? String(contentsOf: folder.appendingPathComponent("ready"), encoding: .utf8) }
    var isRunning: Bool { process.isRunning }

    /// A new edge; it waits until storage accepts events, unless told otherwise.
    func edge(whenAccepting: Bool = true) throws -> TestEdge {
        let edge = try TestEdge(socketPath)
        if whenAccepting { _ = eventually { edge.probe()?.accepts == true } }
        return edge
    }

    /// Kills the process that was started: the shell, if there is one.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
    }

    /// Sends SIGTERM.
    func terminate() {
        process.terminate()
    }

    /// Waits for the end and returns the exit status.
    func wait() -> Int32 {
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -1
    }

    /// The owner's connection to the database.
    func open() throws -> Connection {
        try Connection.open(server.url(database: database), applicationName: "tests")
    }

    /// The first value of a query, as the owner.
    func value(_ sql: String) throws -> String? {
        let rows = try open().query(sql)
        return rows.count > 0 ? rows[row: 0, column: 0] : nil
    }

    /// Whether the commit of single events waits for a lock.
    func isCommitWaiting() throws -> Bool {
        try value(
            """
            SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
            AND datname = current_database() AND application_name = 'mesher-storage commit'
            """) == "1"
    }

    /// Ends the sessions of storage that are named so, from the database `postgres`.
    func endSessions(named name: String = "mesher-storage%") throws {
        let administrator = try Connection.open(server.url(), applicationName: "tests")
        _ = try administrator.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE $2",
            [database, name])
    }

    /// Lets nobody but a superuser connect, or everybody again.
    func allowConnections(_ isAllowed: Bool) throws {
        let administrator = try Connection.open(server.url(), applicationName: "tests")
        try administrator.execute("ALTER DATABASE \(database) ALLOW_CONNECTIONS \(isAllowed)")
    }
}
