import PostgreSQL
import TestServers
import Testing

@testable import mesher

struct CommandLineTests {
    private static func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Execution {
        try Execution.run(Execution.program("mesher"), arguments, environment: environment)
    }

    @Test("--version prints the program's name and version")
    func version() throws {
        let run = try Self.run(["--version"])
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("mesher "))
    }

    @Test(
        "every command explains itself with --help",
        arguments: [
            "", "db", "db migrate", "db maintain", "db status", "org create", "org list", "org rename", "org delete",
            "project create", "project list", "project show", "project set", "project rename", "project delete",
            "key create", "key list", "key rotate", "key revoke", "send", "stream", "events list", "events show",
            "events tail", "config", "check", "status", "reload",
        ])
    func help(command: String) throws {
        let words = command.split(separator: " ").map(String.init)
        let run = try Self.run(words + ["--help"])
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("OVERVIEW: ") && run.output.contains("USAGE: mesher"))
    }

    @Test(
        "wrong usage ends with 64",
        arguments: [
            "nonsense", "project create", "project create a --nonsense", "project create 42", "project set a",
            "project rename a 42", "project show a --days 401", "org rename a 42", "project set a --rate-limit 0",
            "project set a --rate-limit x", "project set a --retention-days 36501", "events list a --limit 0",
            "events list a --level loud", "send", "send http://h/1", "key revoke", "key rotate a --after -1",
            "key rotate a --when-unused 0", "stream", "stream http://h/1",
        ])
    func usage(command: String) throws {
        let run = try Self.run(command.split(separator: " ").map(String.init))
        #expect(run.status == 64)
        #expect(!run.errors.isEmpty && run.output.isEmpty)
    }

    @Test("a server that cannot be reached ends with 69, and is named")
    func unavailable() throws {
        let run = try Self.run(["org", "list"], ["MESHER_DATABASE_URL": "postgresql:///x?host=/nonexistent"])
        #expect(run.status == 69)
        #expect(run.errors.contains("/nonexistent"))
    }

    @Test("a wrong configuration ends with 78, and file, line and key are named")
    func configuration() throws {
        let run = try Self.run(["config"], ["MESHER_WORKERS": "many"])
        #expect(run.status == 78)
        #expect(run.errors.hasPrefix("mesher: environment: MESHER_WORKERS=many: "))
        let file = try Self.run(["config", "--config", "/nonexistent/mesher.conf"])
        #expect(file.status == 78)
        #expect(file.errors == "mesher: /nonexistent/mesher.conf: No such file or directory\n")
    }

    @Test("a database without the schema ends with 78, and says how to make it")
    func noSchema() throws {
        let run = try TestService(isMigrated: false).run("project", "create", "demo")
        #expect(run.status == 78)
        #expect(run.errors.contains("run mesher db migrate"))
    }

    @Test("what PostgreSQL refuses is told apart: not permitted, try again, a defect")
    func databaseErrors() {
        func status(_ code: String?, lost: Bool = false) -> mesher.ExitStatus? {
            mesher.ExitStatus(
                of: DatabaseError(operation: "query", sqlState: code, message: "", isConnectionLost: lost))
        }
        #expect(status("42501") == .notPermitted)
        #expect(status("55P03") == .temporaryFailure)
        #expect(status("42P01") == .software)
        #expect(status(nil, lost: true) == .unavailable)
    }
}
