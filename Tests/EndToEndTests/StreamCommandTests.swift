import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// The command line's own client against the whole of Mesher.
    @Suite struct StreamCommandTests {
        let project: Project

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        private func start(_ lines: [String], to project: Project) throws -> Execution.Running {
            try Execution.Running(
                project.stack["MESHER_BIN"] + "/mesher", ["stream", project.dsn],
                environment: ["no_proxy": "127.0.0.1"], input: lines.map { $0 + "\n" }.joined())
        }

        private func ids(_ output: String) -> [String] {
            output.split(separator: "\n").compactMap { line in
                let answer = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
                return answer?["status"] == "accepted" ? answer?["id"] : nil
            }
        }

        @Test("every line is a row, and each refusal names its line")
        func lines() throws {
            var lines = (1...1000).map { #"{"message":"streamed \#($0)","level":"info"}"# }
            lines[499] = #"{"message":"no level"}"#
            let run = try start(lines, to: project).wait()
            #expect(run.status == 65)
            #expect(
                run.errors == "mesher: line 500: missing required field: level\nmesher: 1 event was refused\n")
            #expect(Set(ids(run.output)).count == 999)
            #expect(try project.count() == 999)
        }

        @Test("An authority of one's own is believed when --ca-file names it; else what helps is said")
        func ownAuthority() throws {
            let (stack, port) = (project.stack, project.stack.port + 2)
            let folder = stack.folder + "/nginx/"
            for name in ["own", "another"] { try Self.makeCertificate(folder + name) }
            let server = """
                server_name localhost;
                listen 127.0.0.1:\(port) ssl;
                ssl_certificate own;
                ssl_certificate_key own.key;
                """
            let dsn = project.dsn.replacing("http:", with: "https:").replacing(":\(stack.port)/", with: ":\(port)/")
            func stream(_ options: String...) throws -> Execution {
                try Execution.run(
                    stack["MESHER_BIN"] + "/mesher", ["stream", dsn, "--patience", "1"] + options,
                    environment: ["no_proxy": "127.0.0.1"], input: #"{"message":"by TLS","level":"info"}"#)
            }
            try Nginx(of: stack).withChanged("nginx.conf", replacing: "server_name localhost;", by: server) {
                let advice = "if the authority is your own, pass its certificate as --ca-file"
                for refused in try [stream(), stream("--ca-file", folder + "another")] {
                    #expect(refused.status == 69 && refused.errors.contains(advice), "\(refused)")
                }
                let bad = try stream("--ca-file", folder + "nginx.conf")
                #expect(bad.status == 64 && bad.errors.contains("--ca-file needs certificates in PEM"), "\(bad)")
                #expect(try project.count() == 0)
                let believing = try stream("--ca-file", folder + "own")
                #expect(believing.status == 0 && ids(believing.output).count == 1, "\(believing)")
                #expect(try project.count() == 1)
            }
        }

        /// A certificate for 127.0.0.1 that has signed itself, and its key, whose name ends with `.key`.
        private static func makeCertificate(_ path: String) throws {
            try Execution.output([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", path + ".key", "-out", path, "-subj", "/CN=127.0.0.1",
                "-addext", "subjectAltName=IP:127.0.0.1",
            ])
        }

        @Test("while sessions and storage are killed nothing is lost, and nothing stored twice")
        func kills() throws {
            #expect(try stream(10_000, to: project) == 10_000)
        }

        @Test("without a primary key some are stored twice, so that test could fail")
        func control() throws {
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000"])
            defer { stack.stop() }
            try stack.dropPrimaryKey()
            // The deaths may find no event that is stored and has no answer.
            #expect(try (1...20).contains { _ in try stream(2_000, to: Project.create(on: stack)) > 2_000 })
        }

        /// Streams so many events, while sessions, storage and sessions again are killed.
        ///
        /// - Returns: how many are stored.
        private func stream(_ count: Int, to project: Project) throws -> Int {
            let processes = Processes(stack: project.stack)
            let running = try start(
                (1...count).map { #"{"message":"streamed \#($0)","level":"info"}"# }, to: project)
            for round in 1...3 {
                let isUnderWay = eventually { answers(of: running) > round * count * 3 / 20 }
                #expect(isUnderWay)
                let victims = try round == 2 ? processes.children("mesher-storage") : sessions(processes)
                #expect(!victims.isEmpty)
                for pid in victims { kill(pid, SIGKILL) }
            }
            let run = running.wait()
            #expect(run.status == 0)
            #expect(run.errors.contains("retrying"))
            #expect(Set(ids(run.output)).count == count)
            let rows = try project.count()
            print("streamed amid kills: \(count) events, \(rows) rows")
            return rows
        }

        private func answers(of running: Execution.Running) -> Int {
            running.output.utf8.reduce(0) { $1 == 0x0A ? $0 + 1 : $0 }
        }

        /// Of the watchdog's children the listener alone has any.
        private func sessions(_ processes: Processes) throws -> [pid_t] {
            try processes.children().flatMap { pid in
                try String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
                    .split(separator: " ").compactMap { pid_t($0) }
            }
        }
    }
}
