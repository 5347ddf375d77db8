import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// The dashboard of grafana/, asked of a Prometheus that reads the stack's metrics.
    struct DashboardTests {
        private struct Dashboard: Decodable {
            struct Panel: Decodable {
                struct Target: Decodable {
                    let expr: String
                }

                let title: String
                let targets: [Target]?
            }

            let panels: [Panel]
        }

        private struct Answer: Decodable {
            struct Result: Decodable {
                let metric: [String: String]
            }

            struct Content: Decodable {
                let result: [Result]
            }

            let status: String
            let error: String?
            let data: Content?
        }

        /// What has no data while nothing is wrong, before the first reload, or on some file systems.
        private static let absent = [
            "mesher_spool_fault", "mesher_spool_oldest_timestamp_seconds", "mesher_spool_available_inodes",
            "mesher_last_reload", "> 0",
        ]

        private let stack: Stack

        init() throws {
            stack = try EndToEnd.stack()
        }

        private var address: String { "127.0.0.1:\(stack.port + 4)" }

        private func ask(_ query: String) throws -> Answer {
            let run = try Execution.run(
                ["curl", "--silent", "--get", "--data-urlencode", "query=" + query, "http://\(address)/api/v1/query"])
            return try JSONDecoder().decode(Answer.self, from: Data(run.output.utf8))
        }

        /// Runs Prometheus until `body` returns.
        private func withPrometheus(_ body: () throws -> Void) throws {
            let folder = stack.folder + "/prometheus"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let target = stack["MESHER_OPERATOR_URL"].replacingOccurrences(of: "http://", with: "")
            let configuration = """
                global: {scrape_interval: 1s}
                scrape_configs: [{job_name: mesher, static_configs: [{targets: ["\(target)"]}]}]
                """
            try Data(configuration.utf8).write(to: URL(fileURLWithPath: folder + "/prometheus.yml"))
            let prometheus = try Execution.Running(
                "/usr/bin/prometheus",
                [
                    "--config.file=\(folder)/prometheus.yml", "--storage.tsdb.path=\(folder)/data",
                    "--web.listen-address=\(address)",
                ])
            defer {
                prometheus.interrupt()
                _ = prometheus.wait()
            }
            // A rate needs two of its metrics; the last to come are those of the health checks.
            let hasData = eventually {
                (try? ask("count_over_time(mesher_health_check_up[1m]) >= 3"))?.data?.result.isEmpty == false
            }
            try #require(hasData, "\(prometheus.errors)")
            try body()
        }

        @Test("Prometheus answers the query of each panel, with data unless there is a reason to have none")
        func panels() throws {
            let project = try Project.create(on: stack)
            #expect(try project.post(#"{"message":"m","level":"info"}"#).status == 202)
            try stack.mesher("db", "maintain")
            let file = try Data(contentsOf: URL(fileURLWithPath: Stack.root + "/grafana/mesher.json"))
            let panels = try JSONDecoder().decode(Dashboard.self, from: file).panels
            try withPrometheus {
                var queries = 0
                for panel in panels {
                    for target in panel.targets ?? [] {
                        queries += 1
                        let query = target.expr.replacingOccurrences(of: "$__rate_interval", with: "1m")
                            .replacingOccurrences(of: "$job", with: "mesher")
                            .replacingOccurrences(of: "$instance", with: ".*")
                        #expect(!query.contains("$"))
                        let answer = try ask(query)
                        #expect(answer.status == "success", "\(panel.title): \(query): \(answer.error ?? "")")
                        let mayBeEmpty = Self.absent.contains { query.contains($0) }
                        #expect(mayBeEmpty || answer.data?.result.isEmpty == false, "\(panel.title): \(query): no data")
                    }
                }
                #expect(queries > 40)
            }
        }
    }
}
