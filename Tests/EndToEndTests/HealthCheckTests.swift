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

        @Test("Each socket is asked every ten seconds, and the status says how it went")
        func asksEachSocket() throws {
            let stack = try EndToEnd.stack()
            #expect(try eventually(within: 15) { try health(stack).count == 3 })
            let found = try health(stack)
            for subject in ["events", "bulk", "storage"] {
                let reading = try #require(found[subject])
                #expect(reading["failures_in_row"] as? Int == 0, "\(reading)")
            }
        }
    }
}
