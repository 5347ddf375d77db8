import Foundation
import PostgreSQL
import TestServers
import Testing

@testable import mesher

/// Every command after which something is gone: it shows numbers and asks, or is refused where nobody can be asked, and the
/// system's log has who and what.
struct DestroyingCommandTests {
    /// A command that destroys something.
    struct Destroying: CustomTestStringConvertible {
        let name: String
        var arguments: [String] = []
        /// Part of what it shows first.
        let numbers: String
        /// The end of the last line that is logged.
        let log: String
        /// A timer runs it as well.
        var isRunUnasked = false

        var words: [String] { name.split(separator: " ").map(String.init) + arguments }
        var testDescription: String { name }
    }

    private static let key = "0123456789abcdef0123456789abcdef"
    private static let user = "ann@example.org"

    static let destroying = [
        Destroying(
            name: "db maintain", numbers: "would drop 1 partitions, and delete 0 events",
            log: "has dropped events_20240101",
            isRunUnasked: true),
        Destroying(
            name: "org delete", arguments: ["empty"], numbers: "has no projects", log: "has deleted organization empty"),
        Destroying(
            name: "project delete", arguments: ["demo"], numbers: "stored   2 events",
            log: "has deleted project 1 (demo): 2 events"),
        Destroying(
            name: "key rotate", arguments: [key], numbers: "which has 1 other key in force",
            log: "has rotated the key 01234567… of project 1 (demo)"),
        Destroying(
            name: "key revoke", arguments: [key], numbers: "last used  2024-10-04",
            log: "has revoked the key 01234567… of project 1 (demo)"),
        Destroying(
            name: "events delete", arguments: ["demo", "--user", user],
            numbers: "1 events, 1 in this host's quarantine",
            log: "has deleted events of one user id of project 1 (demo): 1, and 1 in the quarantine"),
        Destroying(
            name: "quarantine drop", arguments: ["--all"], numbers: "1 events of the projects 1, 0 damaged parts, ",
            log: " bytes"),
    ]

    /// Nothing that they do is gone for good: they look, add, or can be taken back, and what was accepted stays somewhere.
    /// `setup` asks as well.
    private static let harmless = """
        setup, db migrate, db hold, db release, db status, db distribute, org create, org list, org rename, project create, \
        project list, project show, project set, project rename, key create, key list, events list, events show, events tail, \
        events export, spool status, spool verify, spool drain, spool export, quarantine list, quarantine show, \
        quarantine retry, poison list, poison forget, send, stream, config, check, status, sessions, reload, drain
        """

    private let spool = TestSpool()
    private let service: TestService

    init() throws {
        var service = try TestService()
        service.environment["MESHER_SPOOL_DIR"] = spool.path
        service.environment["MESHER_STATE_DIR"] = spool.path
        service.environment["TERM"] = "xterm"
        self.service = service
    }

    /// Something of all that can be destroyed.
    private func prepare() throws {
        _ = try service.json("project", "create", "demo", "--json")
        _ = try service.run("org", "create", "empty")
        let payload = #"{"user":{"id":"\#(Self.user)"}}"#
        try service.store(payload: payload)
        try service.store()
        try service.open().execute(
            """
            INSERT INTO api_keys (key, project_id, label) VALUES ('\(Self.key)', 1, 'Ann''s');
            SELECT mesher_make_partitions('2024-01-01', '2024-01-01');
            SELECT mesher_make_partitions(CURRENT_DATE - 1, CURRENT_DATE + 7);
            SELECT mesher_note_key_uses('{\(Self.key)}', '{20000}')
            """)
        try spool.setAside(TestSpool.record(id: 1, payload: payload), sqlState: "P0001")
    }

    /// How much there is of all that can be destroyed.
    private func state() throws -> String {
        let rows = try service.open().query(
            """
            SELECT concat_ws(' ', (SELECT count(*) FROM organizations), (SELECT count(*) FROM projects),
                (SELECT count(*) FROM api_keys WHERE revoked_at IS NULL AND rotated_at IS NULL),
                (SELECT count(*) FROM api_keys), (SELECT count(*) FROM events),
                (SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass))
            """)
        let quarantine = try FileManager.default.contentsOfDirectory(atPath: spool.path + "/quarantine")
        return "\(rows[row: 0, column: 0] ?? "") \(quarantine.count)"
    }

    /// Types the command at a terminal, and an answer.
    private func type(_ command: Destroying, answer: String) throws -> Execution {
        let words = ([Execution.program("mesher")] + command.words).map { "'\($0)'" }.joined(separator: " ")
        return try Execution.run(
            "/usr/bin/script", ["-qec", words, "/dev/null"], environment: service.environment, input: answer + "\n")
    }

    @Test(
        "it shows numbers, does nothing until somebody says yes, and is logged without whose data it was",
        arguments: destroying)
    func asks(command: Destroying) throws {
        try prepare()
        let before = try state()

        let plan = try service.run(command.words + ["--dry-run"])
        #expect(plan.status == 0 && plan.errors.isEmpty && plan.output.contains(command.numbers), "\(plan)")
        #expect(try state() == before)

        if !command.isRunUnasked {
            let mute = try service.run(command.words)
            #expect(mute.status == 64 && mute.output.contains(command.numbers), "\(mute)")
            #expect(
                mute.errors == "mesher: standard input is no terminal, so nothing was asked or done: give --yes\n")
            #expect(try state() == before)
        }

        let no = try type(command, answer: "n")
        #expect(no.status == 64 && no.output.contains(command.numbers) && no.output.contains("? [y/N] "), "\(no)")
        #expect(no.output.contains("mesher: nothing was done") && !no.output.contains("(uid "))
        #expect(try state() == before)

        let yes = try type(command, answer: "y")
        #expect(yes.status == 0 && yes.output.contains("(uid "), "\(yes)")
        let after = try state()
        #expect(after != before)
    }

    @Test("with --yes it is done, and the log has who and what, and no personal data", arguments: destroying)
    func isLogged(command: Destroying) throws {
        try prepare()
        let before = try state()
        let done = try service.run(command.words + ["--yes"])
        #expect(done.status == 0, "\(done)")
        #expect(try state() != before)
        let lines = done.errors.split(separator: "\n")
        #expect(!lines.isEmpty && lines.allSatisfy { $0.hasPrefix("mesher: ") && $0.contains(" (uid ") }, "\(done)")
        #expect(lines.last?.hasSuffix(command.log) == true, "\(done)")
        #expect(!["ann", "Ann", Self.key].contains { done.errors.contains($0) })
    }

    @Test("a timer's maintenance is not asked, and is logged all the same")
    func maintenance() throws {
        try prepare()
        try service.open().execute(
            """
            UPDATE api_keys SET rotated_at = now(), expires_at = now() WHERE key = '\(Self.key)';
            UPDATE projects SET retention_days = 1;
            INSERT INTO project_deletions (project_id, slug) VALUES (7, 'gone');
            """)
        try service.store(project: 7)
        try service.store(age: 2 * 86_400)
        let run = try service.run("db", "maintain")
        let events = try service.open().query("SELECT to_char(CURRENT_DATE - 2, '\"events_\"YYYYMMDD')")[
            row: 0, column: 0]
        let lines = run.errors.split(separator: "\n").map { $0.drop { $0 != ")" }.dropFirst(2) }
        #expect(run.status == 0)
        #expect(
            lines == [
                "has revoked 1 rotated keys that have ended", "has dropped events_20240101",
                "has deleted 1 events of \(events ?? ""), of the projects {1}",
                "has deleted 1 events of deleted projects: 7 (gone)",
            ], "\(run)")
    }

    @Test("every command is known either to destroy something or not to")
    func all() throws {
        let dump = try Execution.run(Execution.program("mesher"), ["--experimental-dump-help"]).output
        let tree = try #require(try JSONSerialization.jsonObject(with: Data(dump.utf8)) as? [String: Any])
        var options: [String: Set<String>] = [:]
        func walk(_ command: [String: Any], _ path: [String]) {
            let children = command["subcommands"] as? [[String: Any]] ?? []
            for child in children { walk(child, path + [child["commandName"] as? String ?? ""]) }
            guard children.isEmpty else { return }
            let names = (command["arguments"] as? [[String: Any]] ?? []).flatMap {
                $0["names"] as? [[String: Any]] ?? []
            }
            options[path.joined(separator: " ")] = Set(names.compactMap { $0["name"] as? String })
        }
        walk(try #require(tree["command"] as? [String: Any]), [])
        options["help"] = nil
        let harmless = Self.harmless.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect((Self.destroying.map(\.name) + harmless).sorted() == options.keys.sorted())
        let asking = options.filter { $0.value.isSuperset(of: ["yes", "dry-run"]) }.keys
        #expect(Set(asking) == Set(Self.destroying.map(\.name) + ["setup"]))
    }
}
