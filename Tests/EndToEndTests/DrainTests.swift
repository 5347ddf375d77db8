import Foundation
import TestServers
import Testing

extension OwnStack {
    /// A host that is taken out of service. Its PostgreSQL goes away, and it is restarted as a whole.
    struct DrainTests {
        private let event = #"{"message":"m","level":"info"}"#

        private func drain(_ stack: Stack, _ arguments: String...) throws -> Execution {
            try Execution.run(stack["MESHER_BIN"] + "/mesher", ["drain"] + arguments, environment: stack.variables)
        }

        /// Whether an event is refused, and readiness says why.
        private func refuses(_ project: Project) throws -> Bool {
            let answer = try project.post(event)
            let readiness = try ReportedState.readiness(project.stack)
            return answer.status == 503 && answer.header("Retry-After") == "1" && readiness.status == 503
                && readiness.text.contains(#""draining"]"#)
        }

        @Test(
            "Drained under load without PostgreSQL: no death, reload or restart takes it back, and each 202 is a row or set aside"
        )
        func drainsUnderLoad() throws {
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000"])
            defer { stack.stop() }
            let (project, outage, processes) = (
                try Project.create(on: stack), Outage(stack: stack), Processes(stack: stack)
            )
            let streams = Streams(project: project)
            let stream = try streams.open(throughNginx: true)
            stream.send(event)
            #expect(stream.receive().isAccepted)

            let load = try Load(on: project, seconds: 60, connections: 16)
            #expect(try eventually { try project.count() > 100 })
            try outage.stopPostgreSQL()
            #expect(try eventually { try outage.spooled() ?? 0 > 100_000 })
            let away = try drain(stack, "--timeout", "2")
            #expect(away.status == 75, "\(away)")
            #expect(away.errors.contains("events in the spool, and PostgreSQL takes none"), "\(away)")
            let result = try load.finish()
            #expect(result.accepted > 0 && result.answers[503] ?? 0 > 0, "\(result)")
            #expect(stream.receive() == .closed(1_012))
            for isThroughNginx in [true, false] {
                #expect(try streams.open(throughNginx: isThroughNginx).status == 503)
            }

            for name in ["mesher-storage", "mesher-worker"] {
                let pid = try #require(
                    processes.children().first { Processes.commandLine($0).first?.hasSuffix(name) == true })
                kill(pid, SIGKILL)
                #expect(eventually { !processes.children().contains(pid) })
                #expect(try eventually { try refuses(project) }, "\(name)")
            }
            #expect(
                try eventually {
                    try Execution.run(
                        stack["MESHER_BIN"] + "/mesher", ["reload"], environment: stack.variables
                    ).status == 0
                })
            #expect(try refuses(project))
            let watchdog = try #require(processes.watchdog)
            kill(watchdog, SIGKILL)
            #expect(eventually { kill(watchdog, 0) != 0 })
            unlink(stack["MESHER_RUN_DIR"] + "/watchdog.pid")
            let restarted = try outage.restartMesher()
            #expect(try eventually { try refuses(project) })

            try outage.startPostgreSQL()
            let done = try drain(stack)
            #expect(done.status == 0 && done.output.hasSuffix("drained: nothing is left on this host\n"), "\(done)")
            #expect(try project.count() == result.accepted + 1)
            try ReportedState(
                name: "drained", isReady: false, degraded: ["draining"],
                check: ["FAULT  drain", "new events are refused since", "mesher drain --end takes it back"],
                log: ["draining: every new event is refused"]
            ).expect(on: stack)
            let end = try drain(stack, "--end")
            #expect(end.status == 0 && end.output == "no longer draining\n", "\(end)")
            #expect(try eventually { try project.post(event).status == 202 })
            #expect(try drain(stack, "--end").output == "not draining\n")
            #expect(restarted.isRunning)

            // What PostgreSQL refuses stays on this host until somebody looks at it.
            _ = try stack.query(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.message = 'bad') EXECUTE FUNCTION refuse()
                """)
            #expect(try project.post(#"{"message":"bad","level":"info"}"#).status == 202)
            let left = try drain(stack)
            #expect(left.status == 75, "\(left)")
            #expect(left.errors == "mesher: not drained: 1 item in the quarantine: mesher quarantine list\n", "\(left)")
        }
    }
}
