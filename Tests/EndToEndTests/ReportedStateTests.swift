import Foundation
import TestServers
import Testing

extension OwnStack {
    /// What is so, and what readiness, status, metrics, check and log say of it: none contradicts another.
    struct ReportedStateTests {
        private static let event = #"{"message":"m","level":"info"}"#

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

        /// By way of the trigger the table is locked before its partitions, as an INSERT does it: by way of the function they could
        /// wait for each other.
        private static let removal = "DROP TRIGGER refuse ON events; DROP FUNCTION refuse()"

        @Test("PostgreSQL that is away or refuses, keys that nobody knows, what is set aside: told by all alike")
        func postgreSQL() throws {
            try withStack { stack, outage, project in
                func sql(_ text: String) throws { _ = try stack.query(text) }
                func post(_ status: Int, _ body: String = Self.event) throws {
                    #expect(try project.post(body).status == status)
                }
                var running: Execution.Running?
                let all = "true"
                try ReportedState.goThrough(
                    [
                        ReportedState(name: "all is well", status: ["postgresql up, redis up", "spool       empty"]),
                        ReportedState(
                            name: "PostgreSQL is away", degraded: ["postgresql", "backlog"],
                            check: [
                                "FAULT  PostgreSQL", "events wait for PostgreSQL",
                                "nothing was delivered from the spool",
                            ],
                            status: ["postgresql DOWN", "spool       1 events"],
                            log: [
                                "PostgreSQL does not take events", "keys cannot be read",
                                "the spool is not being delivered",
                            ],
                            metrics: [("mesher_spool_events", [:], 1)],
                            begin: {
                                try outage.stopPostgreSQL()
                                try post(202)
                            }, end: { try outage.startPostgreSQL() }),
                        ReportedState(
                            name: "PostgreSQL refuses every row", degraded: ["postgresql", "backlog"],
                            check: ["a plain row is refused", "no commands [54000]"], status: ["postgresql DOWN"],
                            log: ["no commands [54000]"], metrics: [("mesher_quarantine_items", [:], 0)],
                            begin: {
                                try sql(trigger(all, "RAISE SQLSTATE '54000' USING MESSAGE = 'no commands'"))
                                try post(202)
                            }, end: { try sql(Self.removal) }),
                        ReportedState(
                            name: "an event is set aside", check: ["FAULT  quarantine", "1 items are set aside"],
                            status: ["QUARANTINE 1"], log: ["moved to the quarantine"],
                            metrics: [("mesher_quarantine_items", [:], 1)],
                            begin: {
                                try sql(trigger("NEW.message = 'bad'", "RAISE 'no'"))
                                try post(202, #"{"message":"bad","level":"info"}"#)
                            },
                            end: {
                                try sql(Self.removal)
                                try stack.mesher("quarantine", "drop", "--all", "--yes")
                            }),
                        ReportedState(
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
                let away = ReportedState(
                    name: "Redis is away", degraded: ["redis"], check: ["FAULT  Redis", "start Redis"],
                    status: ["redis DOWN"], log: ["Redis is down"])
                try outage.signalRedis(SIGKILL)
                #expect(try project.post(Self.event).status == 202)
                try away.expect(on: stack)
                try outage.startRedis(password: "another")
                let password = ReportedState(
                    name: "Redis has another password", degraded: ["redis"],
                    check: ["FAULT  Redis", "NOAUTH", "MESHER_REDIS_PASSWORD"], status: ["redis DOWN"])
                #expect(try eventually { try outage.logLines("NOAUTH") > 0 })
                try password.expect(on: stack)
                try outage.redis("--no-auth-warning", "-a", "another", "CONFIG", "SET", "requirepass", "")
                try ReportedState.goThrough(
                    [
                        ReportedState(
                            name: "all is well", log: ["Redis is back"],
                            begin: {
                                let isBack = try eventually { try outage.logLines("Redis is back") > 0 }
                                #expect(isBack)
                            }),
                        ReportedState(
                            name: "Redis evicts", degraded: ["eviction"],
                            check: ["maxmemory-policy allkeys-lru", "gets a whole window again"],
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
                    let isSeen = try eventually { try ReportedState.readiness(stack).text.contains("\"spool\"") }
                    #expect(isSeen)
                    try outage.stopPostgreSQL()
                    #expect(try eventually { try project.post(Self.event).status == 503 })
                }
                func end() throws {
                    umount2(spool, Int32(MNT_DETACH))
                    try outage.startPostgreSQL()
                }
                defer { umount2(spool, Int32(MNT_DETACH)) }
                try ReportedState.goThrough(
                    [
                        ReportedState(
                            name: "the disk is full", isReady: false, degraded: ["postgresql", "spool"],
                            check: ["has no space left", "0 MiB are free"], status: ["ONLY 0.0 MiB LEFT ON DISK"],
                            log: ["the spool's file system is full"],
                            metrics: [("mesher_spool_available_bytes", [:], 0)],
                            begin: {
                                try begin("size=1m,mode=700") { spool in
                                    _ = try Execution.run(
                                        "/bin/sh", ["-c", "dd if=/dev/zero of=\(spool)/other bs=4k count=1000"])
                                }
                            }, end: end),
                        ReportedState(
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

        @Test("A watchdog that is stopped, and a socket that is removed, whoever made it: told by all alike")
        func service() throws {
            let stack = try Stack()
            defer { stack.stop() }
            let outage = Outage(stack: stack)
            let watchdog = try #require(Processes(stack: stack).watchdog)
            defer { kill(watchdog, SIGCONT) }
            let isOver = #"{"ready":true,"degraded":[]}"#
            let socket = stack["MESHER_RUN_DIR"] + "/events.sock"
            func remove(_ log: String) throws {
                unlink(socket)
                #expect(try eventually { try outage.logLines(log) > 0 })
            }
            try ReportedState.goThrough(
                [
                    ReportedState(name: "all is well"),
                    ReportedState(
                        name: "the watchdog is stopped", isTold: false,
                        check: ["FAULT  watchdog", "kill -CONT \(watchdog)"],
                        status: ["not written for", "kill -CONT \(watchdog)"],
                        begin: { kill(watchdog, SIGSTOP) }, end: { kill(watchdog, SIGCONT) }),
                    ReportedState(
                        name: "a socket of the service comes back",
                        begin: {
                            try remove("files of the run directory were removed")
                            #expect(eventually { access(socket, F_OK) == 0 })
                            #expect(try eventually { try ReportedState.readiness(stack).text == isOver })
                        }),
                ], on: stack)

            kill(watchdog, SIGTERM)
            let file = stack["MESHER_RUN_DIR"] + "/watchdog.pid"
            #expect(eventually { !FileManager.default.fileExists(atPath: file) })
            var sockets = try HeldSockets(for: stack)
            defer { sockets.kill(SIGTERM) }
            try sockets.start()
            let removed = ReportedState(
                name: "a socket of systemd's is removed", isReady: false,
                answer: #"{"error":"temporarily unavailable","reason":"unavailable"}"#,
                check: ["FAULT  events.sock", "systemctl restart mesher.socket mesher.service"],
                begin: {
                    try remove("a socket that systemd holds was removed")
                    // Connections to workers that nginx has kept would go on.
                    try Nginx(of: stack).hangUp()
                },
                end: {
                    sockets.kill(SIGTERM)
                    sockets = try HeldSockets(for: stack)
                    try sockets.start()
                })
            try ReportedState.goThrough([ReportedState(name: "all is well"), removed], on: stack)
        }
    }
}
