import Testing

@testable import mesher

struct SetupPlanTests {
    private static let roles: Set<String> = [SetupStep.owner, SetupStep.storage, SetupStep.runtime]

    private func answers(
        _ url: String = "http://errors.example", setsPasswords: Bool = false, certificate: Bool = false
    ) throws -> SetupAnswers {
        SetupAnswers(
            publicURL: url, site: try #require(SetupAnswers.Site(url)), database: "mesher", project: "Web shop",
            setsPasswords: setsPasswords, certificate: certificate ? .init(file: "/c", key: "/k") : nil,
            writesNginx: true)
    }

    private func facts(
        roles: Set<String> = [], databases: [String: String] = [:], isMember: Bool = false,
        files: [String: String] = [:],
        nginx: String = "http {\n}", isRunning: Bool = false, hasSystemd: Bool = true
    ) -> SetupFacts {
        SetupFacts(
            database: .init(roles: roles, databases: databases, isMember: isMember, place: "127.0.0.1"), files: files,
            nginx: .init(text: nginx, hasIPv6: true), share: "/usr/share/mesher/nginx", hasUser: true,
            hasSystemd: hasSystemd, isRunning: isRunning)
    }

    private func plan(_ answers: SetupAnswers, _ facts: SetupFacts) throws -> [SetupStep] {
        try SetupPlan(answers, facts, makePassword: { "secret" }).steps()
    }

    /// What a first run leaves.
    private var done: SetupFacts {
        facts(
            roles: Self.roles, databases: ["mesher": SetupStep.owner], isMember: true,
            files: [
                SetupFiles.ownerURL: "postgresql://mesher_owner:a@127.0.0.1/mesher\n",
                SetupFiles.storageURL: "postgresql://mesher_storage:b@127.0.0.1/mesher\n",
                SetupFiles.configuration: """
                MESHER_STORAGE_DATABASE_URL_FILE=/etc/mesher/storage-url
                MESHER_PUBLIC_URL=http://errors.example

                """,
                SetupFiles.maintenance: SetupFiles.maintenanceText,
            ], nginx: "    include /usr/share/mesher/nginx/mesher-server.con[f];", isRunning: true)
    }

    @Test("On a fresh host all is made, files before the roles whose passwords they hold")
    func fresh() throws {
        let steps = try plan(answers(), facts())
        let url = "postgresql://mesher_owner:secret@127.0.0.1/mesher\n"
        #expect(steps.first == .file(SetupFiles.ownerURL, text: url, mode: 0o600, group: "root"))
        #expect(steps.dropFirst().first == .role(SetupStep.owner, password: "secret", exists: false))
        let statements = steps.compactMap(\.statement)
        #expect(
            statements == [
                "CREATE ROLE mesher_owner LOGIN PASSWORD 'secret'",
                "CREATE ROLE mesher_storage LOGIN PASSWORD 'secret'",
                "CREATE ROLE mesher_runtime NOLOGIN", "GRANT mesher_runtime TO mesher_storage",
                "CREATE DATABASE mesher OWNER mesher_owner ENCODING 'UTF8' TEMPLATE template0",
            ])
        #expect(
            steps.suffix(7).first == .migrate && steps.suffix(2) == [.project("Web shop"), .event])
        let shown = steps.flatMap(\.lines).joined(separator: "\n")
        #expect(!shown.contains("secret") && shown.contains("server_name errors.example;"))
    }

    @Test("A second run makes nothing, and only looks whether all is well")
    func repeated() throws {
        let steps = try plan(answers(), done)
        #expect(steps.allSatisfy { $0.statement == nil })
        #expect(!steps.contains { if case .file = $0 { true } else if case .nginx = $0 { true } else { false } })
        #expect(steps.contains(.command(["systemctl", "reload", "mesher.service"])))
    }

    @Test("What was cut off between a file and its role goes on with the file's password")
    func cutOff() throws {
        let file = "postgresql://mesher_owner:a%27b@127.0.0.1/mesher\n"
        let steps = try plan(answers(), facts(files: [SetupFiles.ownerURL: file]))
        #expect(steps.first == .role(SetupStep.owner, password: "a'b", exists: false))
        #expect(steps.first?.statement == "CREATE ROLE mesher_owner LOGIN PASSWORD 'a''b'")
    }

    @Test("What others have made stops it before anything is done")
    func others() throws {
        let given: [(SetupFacts, String)] = [
            (facts(roles: [SetupStep.owner]), "the role mesher_owner exists"),
            (facts(databases: ["mesher": "ada"]), "belongs to ada"),
            (
                facts(files: [SetupFiles.configuration: "MESHER_PUBLIC_URL = http://other.example"]),
                "=http://other.example"
            ),
            (facts(nginx: "server_name a.example errors.example;"), "already has a server errors.example"),
            (facts(files: [NginxSite.path: "server { }"]), "move it away"),
            (facts(files: [SetupFiles.ownerURL: "postgresql:///mesher\n"]), "has no password"),
        ]
        for (facts, reason) in given {
            let error = #expect(throws: CommandError.self) { try plan(answers(), facts) }
            #expect(
                error?.description.contains(reason) == true, "\(error?.description ?? "nothing") instead of \(reason)")
        }
    }

    @Test("A role that exists gets a new password when that is asked for")
    func passwords() throws {
        let steps = try plan(answers(setsPasswords: true), done)
        #expect(steps.contains(.role(SetupStep.owner, password: "secret", exists: true)))
        #expect(steps.compactMap(\.statement).first == "ALTER ROLE mesher_owner LOGIN PASSWORD 'secret'")
    }

    @Test("URLs of others' roles are written, and nothing is made in PostgreSQL")
    func given() throws {
        let facts = SetupFacts(
            database: nil, files: [:], nginx: nil, share: "", hasUser: false, hasSystemd: false, isRunning: false)
        let plan = SetupPlan(try answers(), facts, ownerURL: "postgresql://o@db/x", storageURL: "postgresql://s@db/x")
        let steps = try plan.steps()
        #expect(steps.compactMap(\.statement).isEmpty)
        #expect(steps.first == .command(["systemd-sysusers", "mesher.conf"]))
        #expect(
            steps.contains(.file(SetupFiles.storageURL, text: "postgresql://s@db/x\n", mode: 0o640, group: "mesher")))
    }

    @Test("A site for https needs its certificate")
    func encrypted() throws {
        #expect(throws: CommandError.self) { try plan(answers("https://errors.example"), facts()) }
        let steps = try plan(answers("https://errors.example", certificate: true), facts())
        let text = steps.flatMap(\.lines).joined(separator: "\n")
        #expect(text.contains("listen 443 ssl;") && text.contains("ssl_certificate_key /k;"))
    }

    @Test("Settings that a file has are left alone, and the others follow it")
    func merging() {
        let text = "# mine\nMESHER_STORAGE_DATABASE_URL=postgresql:///x"
        let settings = [("MESHER_STORAGE_DATABASE_URL_FILE", "/f"), ("MESHER_PUBLIC_URL", "http://a")]
        let changed = SetupFiles.adding(settings, to: text)
        #expect(changed == text + "\nMESHER_PUBLIC_URL=http://a\n")
        #expect(SetupFiles.adding(settings, to: changed ?? "") == nil)
    }

    @Test(
        "A public URL names a server",
        arguments: [
            ("http://a.example", "a.example", 80), ("https://a.example/", "a.example", 443),
            ("http://a:8080", "a", 8080),
        ])
    func sites(url: String, host: String, port: Int) {
        let site = SetupAnswers.Site(url)
        #expect(site?.host == host && site?.port == port)
    }

    @Test(
        "or it is refused",
        arguments: [
            "", "a.example", "ftp://a", "http://", "http://a/b", "http://a;b", "http://a:0", "http://a:99999",
            "http://a:b:c",
        ])
    func noSites(url: String) {
        #expect(SetupAnswers.Site(url) == nil)
    }

    @Test("A role's URL names the server, by its port where it is this host's")
    func places() throws {
        #expect(try Superuser.place(nil, port: "5432") == "127.0.0.1")
        #expect(try Superuser.place(nil, port: "5433") == "127.0.0.1:5433")
        #expect(try Superuser.place("postgresql://p:s@a:5433,b/postgres", port: "5432") == "a:5433,b")
        #expect(try Superuser.place("postgresql:///postgres?host=/run/postgresql", port: "5432") == "127.0.0.1")
    }

    @Test("Names and passwords are quoted")
    func quoting() {
        #expect(SetupStep.database("a\"b").statement?.hasPrefix("CREATE DATABASE \"a\"\"b\" OWNER") == true)
        let role = SetupStep.role("r", password: "a'b\\c", exists: false)
        #expect(role.statement == "CREATE ROLE r LOGIN PASSWORD E'a''b\\\\c'")
    }

    @Test("A program's status and output come back, and a program that is missing is an error")
    func commands() throws {
        let command = try HostCommand.run(["sh", "-c", "echo a; echo b >&2; exit 3"])
        #expect(command.status == 3 && command.output == "a\nb\n")
        #expect(try HostCommand.run(["sh", "-c", "kill -9 $$"]).status == 137)
        #expect(throws: (any Error).self) { try HostCommand.run(["mesher-nonsense"]) }
    }
}
