import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// What is so, and what readiness, status, metrics, check and log say of it.
    struct ReportedStateTests {
        private let event = #"{"message":"m","level":"info"}"#

        /// Waits until readiness is as it must be, then asks the others.
        private func expect(
            _ stack: Stack, isReady: Bool = true, degraded: [String] = [], check: [String] = [], log: [String] = []
        ) throws {
            let names = degraded.map { "\"\($0)\"" }.joined(separator: ",")
            let body = #"{"ready":\#(isReady),"degraded":[\#(names)]}"#
            func readiness() throws -> HTTPResponse { try stack.request("GET", "/readyz") }
            #expect(try eventually(within: 20) { try readiness().text == body }, "\(degraded)")
            #expect(try readiness().status == (isReady ? 200 : 503))
            let metrics = try HostMetrics.next(from: stack)
            #expect(metrics["mesher_ready"] == (isReady ? 1 : 0))
            #expect(metrics["mesher_degraded"] == Double(degraded.count))
            for name in degraded { #expect(metrics["mesher_degraded", ["what": name]] == 1) }
            let status = try Execution.run(
                stack["MESHER_BIN"] + "/mesher", ["status"], environment: stack.variables)
            let without = degraded.isEmpty ? "" : ", DEGRADED: \(degraded.joined(separator: ", "))"
            #expect(status.output.contains("ready       \(isReady ? "yes" : "NO")\(without)\n"), "\(status.output)")
            let found = try Execution.run(
                stack["MESHER_BIN"] + "/mesher", ["check"], environment: stack.variables)
            for text in check { #expect(found.output.contains(text), "\(found.output)") }
            #expect(found.output.contains("storage accepts events") == isReady, "\(found.output)")
            let outage = Outage(stack: stack)
            for text in log { #expect(try outage.logLines(text) > 0) }
        }

        @Test("A PostgreSQL that refuses every row, and keys that nobody knows, are told by all alike")
        func allVoices() throws {
            let stack = try Stack()
            defer { stack.stop() }
            let outage = Outage(stack: stack)
            let project = try Project.create(on: stack)
            #expect(try eventually { try project.post(event).status == 202 })
            try expect(stack)

            func sql(_ text: String) throws {
                try Execution.output(["psql", "-q", "-d", stack["MESHER_DATABASE_URL"], "-c", text])
            }
            try sql(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE SQLSTATE '54000' USING MESSAGE = 'no commands'; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()
                """)
            #expect(try project.post(event).status == 202)
            try expect(
                stack, degraded: ["postgresql"], check: ["a plain row is refused", "no commands [54000]"],
                log: ["PostgreSQL does not take events"])
            #expect(try stack.mesher("quarantine", "list", "--json") == "[]")
            try sql("DROP TRIGGER refuse ON events")
            try expect(stack)
            #expect(try eventually { try project.count() == 2 })

            try outage.stopPostgreSQL()
            let running = try outage.restartMesher { unlink(stack["MESHER_STATE_DIR"] + "/keys") }
            #expect(try eventually { try stack.request("GET", "/healthz").status == 200 })
            #expect(try project.post(event).status == 503)
            try expect(
                stack, isReady: false, degraded: ["postgresql", "keys"], check: ["no key is known"],
                log: ["no key is known until PostgreSQL answers"])
            try outage.startPostgreSQL()
            try expect(stack)
            #expect(running.output.isEmpty)
        }
    }
}
