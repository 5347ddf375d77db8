import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// What the watchdog finds by asking.
    struct HealthCheckTests {
        private func health(_ stack: Stack) throws -> [String: [String: Any]] {
            let data = try Data(contentsOf: URL(fileURLWithPath: stack["MESHER_RUN_DIR"] + "/status.json"))
            let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
            return object?["health"] as? [String: [String: Any]] ?? [:]
        }

        @Test("A socket whose workers hang is told once when three checks in a row failed, and when one succeeds again")
        func tellsOnce() throws {
            let stack = try Stack(settings: ["MESHER_HEALTH_INTERVAL=1", "MESHER_STUCK_HEARTBEAT=3600"])
            defer { stack.stop() }
            let worker = try #require(Processes(stack: stack).children("mesher-worker", "bulk").first)
            func failures() throws -> Int { try health(stack)["bulk"]?["failures_in_row"] as? Int ?? 0 }
            kill(worker, SIGSTOP)
            let haveFailed = try eventually { try failures() >= 5 }
            kill(worker, SIGCONT)
            #expect(haveFailed)
            #expect(try eventually { try failures() == 0 })
            let log = try String(contentsOfFile: stack.folder + "/watchdog.log", encoding: .utf8)
            let told = log.split(separator: "\n").filter { $0.contains("health check") }
            #expect(told.count == 2, "\(told)")
            #expect(told.first?.contains("of=bulk times=3") == true)
            #expect(told.last?.contains("health check succeeds again of=bulk") == true)
        }

        @Test("Each socket is asked every ten seconds, and the status says how it went")
        func asksEachSocket() throws {
            let stack = try EndToEnd.stack()
            #expect(try eventually { try health(stack).count == 4 })
            let found = try health(stack)
            for subject in ["events", "bulk", "storage", "stream"] {
                let reading = try #require(found[subject])
                #expect(reading["failures_in_row"] as? Int == 0, "\(reading)")
            }
        }
    }
}
