import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// What is so, and what readiness, status, metrics, check and log say of it: none contradicts another.
    struct ReportedStateTests {
        /// A state of the whole, and what tells it.
        private struct State {
            let name: String
            var isReady = true
            var degraded: [String] = []
            /// What the others say, beside what follows from the two.
            var check: [String] = []
            var status: [String] = []
            var log: [String] = []
            var metrics: [(name: String, labels: [String: String], value: Double)] = []
            /// Makes it.
            var begin: () throws -> Void = {}
            /// Ends it: then all is well again.
            var end: () throws -> Void = {}
        }

        private static let event = #"{"message":"m","level":"info"}"#

        private func readiness(_ stack: Stack) throws -> HTTPResponse { try stack.request("GET", "/readyz") }

        private func expectAll(of state: State, on stack: Stack) throws {
            let names = state.degraded.map { "\"\($0)\"" }.joined(separator: ",")
            let body = #"{"ready":\#(state.isReady),"degraded":[\#(names)]}"#
            let isSo = try eventually(within: 40) { try readiness(stack).text == body }
            let said = try readiness(stack)
            #expect(isSo, "\(state.name): \(said.text), not \(body)")
            #expect(said.status == (state.isReady ? 200 : 503), "\(state.name)")

            let metrics = try HostMetrics.next(from: stack)
            #expect(metrics["mesher_ready"] == (state.isReady ? 1 : 0), "\(state.name)")
            #expect(metrics["mesher_degraded"] == Double(state.degraded.count), "\(state.name)")
            for name in state.degraded { #expect(metrics["mesher_degraded", ["what": name]] == 1, "\(state.name)") }
            for server in ["postgresql", "redis"] {
                let isUp = metrics["mesher_dependency_up", ["dependency": server]] == 1
                #expect(isUp != state.degraded.contains(server), "\(state.name): \(server)")
            }
            for (name, labels, value) in state.metrics {
                #expect(metrics[name, labels] == value, "\(state.name): \(name)")
            }

            let mesher = stack["MESHER_BIN"] + "/mesher"
            let status = try Execution.run(mesher, ["status"], environment: stack.variables).output
            let without = state.degraded.isEmpty ? "" : ", DEGRADED: \(state.degraded.joined(separator: ", "))"
            let ready = "ready       \(state.isReady ? "yes" : "NO")\(without)\n"
            for text in state.status + [ready] { #expect(status.contains(text), "\(state.name): \(status)") }

            let check = try Execution.run(mesher, ["check"], environment: stack.variables)
            for text in state.check { #expect(check.output.contains(text), "\(state.name): \(check.output)") }
            #expect(check.output.contains("storage accepts events") == state.isReady, "\(state.name): \(check.output)")
            let isFault = !state.degraded.isEmpty || !state.check.isEmpty
            #expect(check.output.contains("FAULT") == isFault, "\(state.name): \(check.output)")
            #expect(check.status == (isFault ? 69 : 0), "\(state.name): \(check.output)")
            let outage = Outage(stack: stack)
            for text in state.log { #expect(try outage.logLines(text) > 0, "\(state.name): no \(text)") }
        }

        private func goThrough(_ states: [State], on stack: Stack) throws {
            for state in states {
                try state.begin()
                try expectAll(of: state, on: stack)
                try state.end()
                let isOver = try eventually(within: 40) {
                    try readiness(stack).text == #"{"ready":true,"degraded":[]}"#
                }
                let said = try readiness(stack)
                #expect(isOver, "\(state.name) does not end: \(said.text)")
            }
        }

        /// A stack in which a minute without a delivery lasts ten seconds.
        private func withStack(_ body: (Stack, Outage, Project) throws -> Void) throws {
            let programs = try InterposedPrograms(
                "", in: ["mesher-storage"], of: Stack.debugPrograms, ["MESHER_FAULT": "hasty:6"])
            defer { programs.remove() }
            let stack = try Stack(settings: ["MESHER_SPOOL_LIMIT=16"], programs: programs.folder)
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            #expect(try eventually { try project.post(Self.event).status == 202 })
            try body(stack, Outage(stack: stack), project)
        }

        private func trigger(_ condition: String, _ action: String) -> String {
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \(action); END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW WHEN (\(condition)) EXECUTE FUNCTION refuse()
            """
        }

        @Test("PostgreSQL that is away or refuses, keys that nobody knows, what is set aside: told by all alike")
        func postgreSQL() throws {
            try withStack { stack, outage, project in
                func sql(_ text: String) throws { _ = try stack.query(text) }
                func post(_ status: Int, _ body: String = Self.event) throws {
                    #expect(try project.post(body).status == status)
                }
                var running: Execution.Running?
                let all = "true"
                try goThrough(
                    [
                        State(name: "all is well", status: ["postgresql up, redis up", "spool       empty"]),
                        State(
                            name: "PostgreSQL is away", degraded: ["postgresql", "backlog"],
                            check: [
                                "FAULT  PostgreSQL", "events wait for PostgreSQL", "nothing of the spool was delivered",
                            ],
                            status: ["postgresql DOWN", "spool       1 events"],
                            log: ["PostgreSQL does not take events", "keys cannot be read", "nothing of the spool is"],
                            metrics: [("mesher_spool_events", [:], 1)],
                            begin: {
                                try outage.stopPostgreSQL()
                                try post(202)
                            }, end: { try outage.startPostgreSQL() }),
                        State(
                            name: "PostgreSQL refuses every row", degraded: ["postgresql", "backlog"],
                            check: ["a plain row is refused", "no commands [54000]"], status: ["postgresql DOWN"],
                            log: ["no commands [54000]"], metrics: [("mesher_quarantine_items", [:], 0)],
                            begin: {
                                try sql(trigger(all, "RAISE SQLSTATE '54000' USING MESSAGE = 'no commands'"))
                                try post(202)
                            }, end: { try sql("DROP FUNCTION refuse() CASCADE") }),
                        State(
                            name: "an event is set aside", check: ["FAULT  quarantine", "1 items are set aside"],
                            status: ["QUARANTINE 1"], log: ["set aside in the quarantine"],
                            metrics: [("mesher_quarantine_items", [:], 1)],
                            begin: {
                                try sql(trigger("NEW.message = 'bad'", "RAISE 'no'"))
                                try post(202, #"{"message":"bad","level":"info"}"#)
                            },
                            end: {
                                try sql("DROP FUNCTION refuse() CASCADE")
                                try stack.mesher("quarantine", "drop", "--all")
                            }),
                        State(
                            name: "no key is known", isReady: false, degraded: ["postgresql", "keys"],
                            check: ["no key is known"], log: ["no key is known until PostgreSQL answers"],
                            begin: {
                                try outage.stopPostgreSQL()
                                running = try outage.restartMesher { unlink(stack["MESHER_STATE_DIR"] + "/keys") }
                                #expect(try eventually { try stack.request("GET", "/healthz").status == 200 })
                                try post(503)
                            }, end: { try outage.startPostgreSQL() }),
                    ], on: stack)
                #expect(try project.count() == 3)
                #expect(running?.isRunning == true)
            }
        }

        @Test("Redis that is away, has another password, or evicts: told by all alike, and each reason is logged")
        func redis() throws {
            try withStack { stack, outage, project in
                func renew() throws {
                    try outage.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                    #expect(try eventually { try project.post(Self.event).status == 202 })
                }
                let away = State(
                    name: "Redis is away", degraded: ["redis"], check: ["FAULT  Redis", "start Redis"],
                    status: ["redis DOWN"], log: ["Redis is away"])
                try outage.signalRedis(SIGKILL)
                #expect(try project.post(Self.event).status == 202)
                try expectAll(of: away, on: stack)
                try outage.startRedis(password: "another")
                let password = State(
                    name: "Redis has another password", degraded: ["redis"],
                    check: ["FAULT  Redis", "NOAUTH", "MESHER_REDIS_PASSWORD"], status: ["redis DOWN"])
                #expect(try eventually { try outage.logLines("NOAUTH") > 0 })
                try expectAll(of: password, on: stack)
                try outage.redis("--no-auth-warning", "-a", "another", "CONFIG", "SET", "requirepass", "")
                try goThrough(
                    [
                        State(
                            name: "all is well", log: ["Redis is back"],
                            begin: {
                                let isBack = try eventually { try outage.logLines("Redis is back") > 0 }
                                #expect(isBack)
                            }),
                        State(
                            name: "Redis evicts", degraded: ["eviction"],
                            check: ["maxmemory-policy allkeys-lru", "granted a whole window again"],
                            log: ["Redis may evict counters"],
                            begin: {
                                try outage.redis("CONFIG", "SET", "maxmemory", "100mb")
                                try outage.redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
                                try renew()
                            },
                            end: {
                                try outage.redis("CONFIG", "SET", "maxmemory-policy", "noeviction")
                                try renew()
                            }),
                    ], on: stack)
            }
        }

        @Test(
            "A disk of the spool without room or inodes: told by all alike, with the reason in words",
            .enabled(if: geteuid() == 0, "only root mounts a file system"))
        func disk() throws {
            try withStack { stack, outage, project in
                let spool = stack["MESHER_STATE_DIR"] + "/spool"
                func begin(_ options: String, filling: (String) throws -> Void) throws {
                    guard mount("tmpfs", spool, "tmpfs", 0, options) == 0 else {
                        throw Stack.Failure(description: "mount: errno \(errno)")
                    }
                    try filling(spool)
                    let isSeen = try eventually { try readiness(stack).text.contains("\"spool\"") }
                    #expect(isSeen)
                    try outage.stopPostgreSQL()
                    #expect(try eventually { try project.post(Self.event).status == 503 })
                }
                func end() throws {
                    umount2(spool, Int32(MNT_DETACH))
                    try outage.startPostgreSQL()
                }
                defer { umount2(spool, Int32(MNT_DETACH)) }
                try goThrough(
                    [
                        State(
                            name: "the disk is full", isReady: false, degraded: ["postgresql", "spool"],
                            check: ["has no room left", "0 MiB are free"], status: ["ONLY 0.0 MiB LEFT ON DISK"],
                            log: ["the spool's file system is full"],
                            metrics: [("mesher_spool_available_bytes", [:], 0)],
                            begin: {
                                try begin("size=1m,mode=700") { spool in
                                    _ = try Execution.run(
                                        "/bin/sh", ["-c", "dd if=/dev/zero of=\(spool)/other bs=4k count=1000"])
                                }
                            }, end: end),
                        State(
                            name: "no inodes are left", isReady: false, degraded: ["postgresql", "spool"],
                            check: ["cannot be used: No space left on device", "no inodes left"],
                            status: ["NO INODES LEFT", "UNUSABLE: No space left on device"],
                            log: ["No space left on device", "no inodes are left"],
                            metrics: [
                                ("mesher_spool_available_inodes", [:], 0),
                                ("mesher_spool_fault", ["reason": "No space left on device"], 1),
                            ],
                            begin: {
                                try begin("size=32m,nr_inodes=2,mode=700") { spool in
                                    #expect(FileManager.default.createFile(atPath: spool + "/other", contents: nil))
                                }
                            }, end: end),
                    ], on: stack)
            }
        }
    }
}
