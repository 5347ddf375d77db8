import Foundation
import TestServers
import Testing

/// What the documents say of installing, typed on machines that have nothing of Mesher.
@Suite(
    .enabled(if: Stack.isBuilt, "make build has made no programs yet"),
    .enabled(if: PrivateMachine.isAllowed, "needs root, and the right to make namespaces"))
struct InstallationTests {
    /// What an operator has before: PostgreSQL, Redis, nginx, and a name with a certificate that leads here.
    static let before = """
        PATH=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1):$PATH
        install -d -o postgres /run/postgresql /run/data
        as_postgres() { (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }
        as_postgres initdb -D /run/data/cluster --auth-local=peer --auth-host=scram-sha-256 --no-sync >/dev/null
        as_postgres pg_ctl -D /run/data/cluster -o '-k /run/postgresql -c fsync=off' -l /run/data/log --silent --wait start
        redis-server --save '' --daemonize yes >/dev/null
        echo '127.0.0.1 localhost errors.example.com' >/etc/hosts
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=errors.example.com \\
            -addext subjectAltName=DNS:errors.example.com -keyout /etc/ssl/errors.key -out /etc/ssl/errors.pem 2>/dev/null
        cat /etc/ssl/errors.pem >>/etc/ssl/certs/ca-certificates.crt
        rm -f /etc/nginx/sites-enabled/*
        mkdir -p /var/log/nginx /var/lib/nginx
        nginx
        """

    private static func blocks(_ document: String) throws -> [FencedBlock] {
        FencedBlock.all(in: try String(contentsOfFile: Stack.root + "/" + document, encoding: .utf8))
    }

    /// The commands that start the service where there is no systemd.
    private static func start() throws -> String {
        try #require(blocks("docs/installing.md").first { $0.text.contains("/mesher-watchdog") }).text
    }

    /// Stands in for systemctl(1) where systemd is not the first process: the service starts as the page has it for any other
    /// supervisor.
    private static func systemctl(_ prefix: String) throws -> String {
        """
        cat >/usr/local/bin/systemctl <<'END'
        #!/bin/bash
        start() {
        \(try start().replacingOccurrences(of: "/usr/local", with: prefix))
        }
        case "$*" in
            daemon-reload | '--system daemon-reload') ;;
            'is-active --quiet mesher.service') [ -e /run/mesher/watchdog.pid ] ;;
            'reload nginx') nginx -s reload 2>/dev/null ;;
            'reload mesher.service') mesher reload ;;
            'enable --now mesher.socket mesher.service mesher-maintenance.timer')
                { [ -e /run/mesher/watchdog.pid ] || start; } >/dev/null 2>/run/log &
                ;;
            *) echo "systemctl $*?" && false ;;
        esac
        END
        chmod 755 /usr/local/bin/systemctl
        until_ready() {
            for _ in $(seq 600); do
                ! curl -sf -o /dev/null https://errors.example.com/readyz || return 0
                sleep 0.1
            done
            cat /run/log
        }
        """
    }

    /// What is typed of a block that is no console's.
    private func step(_ block: FencedBlock) -> String? {
        switch block.language {
        case "sql": return "as_postgres psql --quiet postgres <<'END'\n\(block.text)\nEND"
        case "sh": return block.text
        case "nginx":
            let certificates = "ssl_certificate /etc/ssl/errors.pem; ssl_certificate_key /etc/ssl/errors.key;"
            let text = block.text.replacing("# certificates and everything else as before", with: certificates)
            return """
                cat >/etc/nginx/conf.d/mesher.conf <<'END'
                \(text)
                END
                nginx -t 2>/dev/null && systemctl reload nginx
                """
        default: return nil
        }
    }

    /// The key that there is, in the place of the document's, once it is known.
    private static let key = """
        key=$(mesher key list web-shop --json | sed 's/.*"key":"\\([0-9a-f]*\\)".*/\\1/')
        for _ in $(seq 300); do
            ! curl -sf -d '{"message":"m","level":"info"}' "https://errors.example.com/api/v1/events?sentry_key=$key" || break
            sleep 0.1
        done
        """

    /// Types a chapter of a document.
    private func type(_ heading: String, of document: String, into session: inout ExampleSession) throws {
        let text = try String(contentsOfFile: Stack.root + "/" + document, encoding: .utf8)
        let lines = text.components(separatedBy: "\n")
        let begin = try #require(lines.firstIndex(of: heading))
        let end = try #require(lines[(begin + 1)...].firstIndex { $0.hasPrefix("## ") })
        // The chapters do not show what the check prints.
        let check = try #require(
            Self.blocks("docs/installing.md").flatMap(ConsoleExample.all).last { $0.command == "mesher check" })
        for block in FencedBlock.all(in: text) where (begin...end).contains(block.line) {
            if let step = step(block) { session.define(step) }
            for var example in ConsoleExample.all(in: block) {
                if example.command == check.command {
                    example = check
                    session.type("until_ready")
                }
                if example.command.hasPrefix("mesher send") { session.type(Self.key) }
                example.command.replace(/\b[0-9a-f]{32}\b/, with: "$key")
                session.type(example)
            }
        }
    }

    private func run(_ session: ExampleSession, examples count: Int) throws {
        try PrivateMachine.withFolder { folder in
            let run = try session.run(PrivateMachine.command(folder), folder: folder, environment: [:])
            #expect(run.count == count)
            for (example, output) in run {
                #expect(example.isAnswered(by: output), "line \(example.line): \(example.command)\nanswers: \(output)")
            }
        }
    }

    @Test("By hand, each step does what it says, and each command is answered as the document says")
    func byHand() throws {
        var session = ExampleSession()
        session.define("make --silent --directory '\(Stack.root)' install")
        session.define(Self.before)
        session.define(try Self.systemctl("/usr/local"))
        try type("## By hand", of: "docs/installing.md", into: &session)
        try run(session, examples: 5)
    }

    @Test("The package and mesher setup lead to a first event; a second run changes nothing, and nginx outlives it")
    func setup() throws {
        // What is typed and not in the README: the same once more.
        let again = ConsoleExample(
            prompt: "#", command: "mesher setup --yes --project 'Web shop'",
            answer: """
                1  migrate the schema (mesher db migrate), and try storage's role
                2  systemctl daemon-reload
                3  systemctl enable --now mesher.socket mesher.service mesher-maintenance.timer
                4  systemctl reload mesher.service
                5  create the project "Web shop", unless it is there
                6  send a first event through nginx
                202 accepted 00000000000000000000000000000000
                DSN  https://00000000000000000000000000000000@errors.example.com/1
                for the other commands: export MESHER_DATABASE_URL_FILE=/etc/mesher/owner-url
                """, line: 0)
        let untouched = ConsoleExample(prompt: "#", command: "files | cmp - /run/files", answer: "", line: 0)
        let removed = ConsoleExample(
            prompt: "#", command: "dpkg --remove mesher >/dev/null 2>&1; nginx -t 2>&1 | tail -n 1",
            answer: "nginx: configuration file /etc/nginx/nginx.conf test is successful", line: 0)
        try DebianPackage.withPackage { package in
            var session = ExampleSession()
            session.define(Self.before)
            session.define(try Self.systemctl("/usr"))
            session.define("mkdir -p /run/systemd/system\napt() { dpkg -i '\(package)' >/dev/null; }")
            try type("## Install", of: "README.md", into: &session)
            session.define("files() { find /etc -type f -exec md5sum {} + | sort; }\nfiles >/run/files")
            session.type(again)
            session.type(untouched)
            session.type(removed)
            try run(session, examples: 6)
        }
    }

    @Test("At a terminal setup asks for what it needs, takes mistakes, an end and an interrupt, and shows no password")
    func terminal() throws {
        try DebianPackage.withPackage { package in
            let script = """
                \(Self.before)
                \(try Self.systemctl("/usr"))
                mkdir -p /run/systemd/system
                dpkg -i '\(package)' >/dev/null 2>&1
                python3 '\(Stack.root)/Tests/Installation/terminal.py'
                """
            try PrivateMachine.withFolder { folder in
                try Data(script.utf8).write(to: URL(fileURLWithPath: folder + "/script"))
                let run = try Execution.run(["timeout", "300"] + PrivateMachine.command(folder) + [folder + "/script"])
                #expect(run.output == "ok     the end\n", "\(run.output)\(run.errors)")
            }
        }
    }
}
