import Foundation
import TestServers
import Testing

/// README's chapter "Install", typed from its first block to its last on a machine that has nothing of Mesher.
@Suite(
    .enabled(if: Stack.isBuilt, "make build has made no programs yet"),
    .enabled(if: PrivateMachine.isAllowed, "needs root, and the right to make namespaces"))
struct InstallationTests {
    /// What an operator has before: the programs, PostgreSQL, Redis, nginx, and a name with a certificate that leads here.
    private static let before = """
        make --silent --directory '\(Stack.root)' install
        PATH=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1):$PATH
        install -d -o postgres /run/postgresql /run/data
        as_postgres() { (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }
        as_postgres initdb -D /run/data/cluster --auth-local=peer --auth-host=scram-sha-256 --no-sync >/dev/null
        as_postgres pg_ctl -D /run/data/cluster -o '-k /run/postgresql -c fsync=off' -l /run/data/log --silent --wait start
        redis-server --save '' --daemonize yes >/dev/null
        echo '127.0.0.1 localhost errors.example.com' >/etc/hosts
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=errors.example.com \\
            -addext subjectAltName=DNS:errors.example.com -keyout /etc/nginx/key -out /etc/nginx/certificate 2>/dev/null
        cat /etc/nginx/certificate >>/etc/ssl/certs/ca-certificates.crt
        rm -f /etc/nginx/sites-enabled/*
        mkdir -p /var/log/nginx /var/lib/nginx
        nginx
        """

    private static func blocks(_ document: String) throws -> [FencedBlock] {
        FencedBlock.all(in: try String(contentsOfFile: Stack.root + "/" + document, encoding: .utf8))
    }

    /// Stands in for systemctl(1) where systemd is not the first process: the service starts as the page has it for any other
    /// supervisor.
    private static func systemctl() throws -> String {
        let start = try #require(blocks("docs/installing.md").first { $0.text.contains("/mesher-watchdog") })
        return """
            start() {
            \(start.text)
            }
            systemctl() {
                case "$*" in
                    daemon-reload) ;;
                    'reload nginx') nginx -s reload 2>/dev/null ;;
                    'enable --now mesher.socket mesher.service mesher-maintenance.timer')
                        start 2>/run/log &
                        for _ in $(seq 300); do
                            ! curl -sf -o /dev/null https://errors.example.com/readyz || return 0
                            sleep 0.1
                        done
                        cat /run/log
                        return 1
                        ;;
                    *) echo "systemctl $*?" ;;
                esac
            }
            """
    }

    /// What is typed of a block that is no console's.
    private func step(_ block: FencedBlock) -> String? {
        switch block.language {
        case "sql": return "as_postgres psql --quiet postgres <<'END'\n\(block.text)\nEND"
        case "sh": return block.text
        case "nginx":
            let certificates = "ssl_certificate certificate; ssl_certificate_key key;"
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

    @Test("Each step does what it says, and each command is answered as the document says")
    func installation() throws {
        let text = try String(contentsOfFile: Stack.root + "/README.md", encoding: .utf8)
        let lines = text.components(separatedBy: "\n")
        let begin = try #require(lines.firstIndex(of: "## Install"))
        let end = try #require(lines[(begin + 1)...].firstIndex { $0.hasPrefix("## ") })
        // README does not show what the check prints.
        let check = try #require(
            Self.blocks("docs/installing.md").flatMap(ConsoleExample.all).first { $0.command == "mesher check" })
        var session = ExampleSession()
        session.define(Self.before)
        session.define(try Self.systemctl())
        for block in FencedBlock.all(in: text) where (begin...end).contains(block.line) {
            if let step = step(block) { session.define(step) }
            for var example in ConsoleExample.all(in: block) {
                if example.command == check.command { example = check }
                if example.command.hasPrefix("mesher send") { session.type(Self.key) }
                example.command.replace(/\b[0-9a-f]{32}\b/, with: "$key")
                session.type(example)
            }
        }
        try PrivateMachine.withFolder { folder in
            let run = try session.run(PrivateMachine.command(folder), folder: folder, environment: [:])
            #expect(run.count == 5)
            for (example, output) in run {
                #expect(example.isAnswered(by: output), "line \(example.line): \(example.command)\nanswers: \(output)")
            }
        }
    }
}
