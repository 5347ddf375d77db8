import Foundation
import Synchronization
import Testing

extension EndToEnd {
    struct LoadTests {
        let project: Project

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        /// Does a thing so many times from several threads at once, and returns what failed.
        private func concurrently(_ clients: Int, _ body: @Sendable (Int) throws -> String?) -> [String] {
            let failures = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: clients) { client in
                do {
                    if let failure = try body(client) { failures.withLock { $0.append(failure) } }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            return failures.withLock { $0 }
        }

        @Test("A thousand events of several clients, single and in bulk, are a thousand rows with the payload as sent")
        func thousandEvents() throws {
            let project = project
            @Sendable func payload(_ number: Int) -> String {
                let zone = ["Z", "+02:00", "-11:30"][number % 3]
                return
                    #"{"message":"n\#(number)","level":"error","timestamp":"2024-05-05T12:00:00\#(zone)","extra":{"é":\#(number)}}"#
            }
            let failures = concurrently(8) { client in
                let connection = try HTTPConnection(port: project.stack.port)
                let mine = Array(stride(from: client, to: 1_000, by: 8))
                let (single, bulk) = (mine.prefix(75), mine.dropFirst(75))
                for number in single {
                    connection.send(
                        "POST", "/api/v1/events", [("Authorization", "Bearer \(project.key)")],
                        body: Array(payload(number).utf8))
                    let response = try connection.receive()
                    if response.status != 202 { return "\(response.status) \(response.text)" }
                }
                let response = try project.postBulk("[" + bulk.map { payload($0) }.joined(separator: ",") + "]")
                return response.json["accepted"] as? Int == bulk.count ? nil : response.text
            }
            #expect(failures == [])
            let rows = try project.stack.query(
                #"SELECT payload::text, "timestamp" FROM events WHERE project_id = \#(project.id)"#)
            #expect(Set(rows.map { $0[0] }) == Set((0..<1_000).map(payload)))
            #expect(rows.count == 1_000)
            #expect(
                Set(rows.map { $0[1] })
                    == ["2024-05-05 12:00:00+00", "2024-05-05 10:00:00+00", "2024-05-05 23:30:00+00"])
        }

        @Test("The same id at once over several workers is one row, and every sender reads 202")
        func sameIDAtOnce() throws {
            let project = project
            // 32 zeros are no id.
            for round in 1...10 {
                let id = String(repeating: String(round, radix: 16), count: 32)
                let failures = concurrently(8) { client in
                    let body = #"{"event_id":"\#(id)","message":"from \#(client)","level":"info"}"#
                    // Every other one by the worker for bulk, so that it comes to storage from two edges.
                    let response = client % 2 == 0 ? try project.post(body) : try project.postBulk("[\(body)]")
                    return response.status == 202 ? nil : "\(response.status) \(response.text)"
                }
                #expect(failures == [])
            }
            #expect(try project.count() == 10)
        }
    }
}
