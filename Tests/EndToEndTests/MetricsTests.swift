import Foundation
import Testing

extension EndToEnd {
    @Suite(.serialized)
    struct MetricsTests {
        let project: Project
        let processes: Processes
        var stack: Stack { project.stack }

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
            processes = Processes(stack: project.stack)
        }

        @Test("The file that nginx serves is what a Prometheus parser takes, with every family of its right type")
        func families() throws {
            _ = try project.post(#"{"message":"counted","level":"info"}"#)
            let samples = try HostMetrics.next(from: stack).samples
            let types = Dictionary(samples.map { ($0.family, $0.type) }) { first, _ in first }
            // The parser leaves out a counter's "_total".
            let expected = [
                "mesher_events": "counter", "mesher_requests": "counter", "mesher_child_restarts": "counter",
                "mesher_request_duration_seconds": "histogram", "mesher_children": "gauge",
                "mesher_storage_batch_size": "histogram", "mesher_storage_commit_duration_seconds": "histogram",
                "mesher_storage_last_commit_timestamp_seconds": "gauge", "mesher_storage_partitions_ahead": "gauge",
                "mesher_dependency_up": "gauge", "mesher_rate_limit_fallbacks": "counter",
                "mesher_build_info": "gauge",
            ]
            for (family, type) in expected { #expect(types[family] == type, "\(family)") }
        }

        @Test("Each answer is counted once, by route and status, and each of its events by how it ended")
        func countsWhatItAnswers() throws {
            let before = try HostMetrics.next(from: stack)
            let answers = [
                try project.post(#"{"message":"a","level":"info"}"#), try project.post("nonsense"),
                try project.post(#"{"level":"info"}"#),
                try stack.post("{}", key: String(repeating: "0", count: 32)),
                try project.postBulk(#"[{"message":"a","level":"info"},{"message":"b","level":"info"},7]"#),
            ]
            #expect(answers.map(\.status) == [202, 400, 400, 401, 202])
            let after = try HostMetrics.next(from: stack)
            func added(_ name: String, _ labels: [String: String]) -> Double {
                after[name, labels] - before[name, labels]
            }
            #expect(after.accepted - before.accepted == 3)
            for reason in ["invalid_json", "missing_message", "unauthorized", "invalid_event"] {
                #expect(added("mesher_events_total", ["outcome": "discarded", "reason": reason]) == 1, "\(reason)")
            }
            #expect(added("mesher_events_total", [:]) == 7)
            #expect(added("mesher_requests_total", ["route": "events", "status": "202"]) == 1)
            #expect(added("mesher_requests_total", ["route": "events", "status": "400"]) == 2)
            #expect(added("mesher_requests_total", ["route": "events", "status": "401"]) == 1)
            #expect(added("mesher_requests_total", ["route": "bulk", "status": "202"]) == 1)
            // The watchdog may have asked meanwhile.
            #expect(added("mesher_request_duration_seconds_count", [:]) == added("mesher_requests_total", [:]))
            #expect(added("mesher_storage_batch_size_sum", [:]) == 3)
        }

        @Test("After workers were killed under full load the totals are those that the clients counted")
        func totalsAfterKills() throws {
            let before = try HostMetrics.next(from: stack)
            let load = try Load(on: project, seconds: 4)
            var killed = 0
            for _ in 0..<3 {
                usleep(1_000_000)
                if let worker = processes.children("mesher-worker", "events").first, kill(worker, SIGKILL) == 0 {
                    killed += 1
                }
            }
            let result = try load.result()
            let after = try HostMetrics.next(from: stack)
            let counted = after.accepted - before.accepted
            print("totals: \(killed) kills, \(result.accepted) accepted by clients, \(counted) in the metrics")
            #expect(killed == 3 && result.accepted > 0)
            #expect(try project.count() == result.accepted)
            // A request whose worker is killed between the count and the answer is answered, and counted, by another.
            #expect((result.accepted...result.accepted + killed).contains(counted))
            let restarts = ["role": "worker", "cause": "signal"]
            let name = "mesher_child_restarts_total"
            #expect(Int(after[name, restarts] - before[name, restarts]) == killed)
        }

        @Test("Metrics and status go on while every worker is stopped")
        func answersWithoutWorkers() throws {
            let workers = processes.children("mesher-worker", "events") + processes.children("mesher-worker", "bulk")
            defer { for worker in workers { kill(worker, SIGCONT) } }
            for worker in workers { kill(worker, SIGSTOP) }
            let now = Date().timeIntervalSince1970
            #expect(try HostMetrics.next(from: stack)["mesher_metrics_timestamp_seconds"] > now)
            #expect(try stack.mesher("status").contains("worker bulk 0"))
        }

        @Test("The status names every process with its role, number and state, and counts what was discarded")
        func status() throws {
            _ = try project.post("nonsense")
            _ = try HostMetrics.next(from: stack)
            let text = try stack.mesher("status", "--json")
            let status = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let listed = try #require(status["processes"] as? [[String: Any]])
            let pids = Dictionary(grouping: listed) { $0["role"] as? String ?? "" }
                .mapValues { Set($0.compactMap { ($0["pid"] as? Int).map { pid_t($0) } }) }
            #expect(pids["watchdog"] == [try #require(processes.watchdog)])
            #expect(pids["storage"] == Set(processes.children("mesher-storage")))
            let workers = processes.children("mesher-worker", "events") + processes.children("mesher-worker", "bulk")
            #expect(pids["worker"] == Set(workers))
            #expect(listed.allSatisfy { $0["state"] as? String == "ready" && $0["memory_bytes"] as? Int ?? 0 > 0 })
            #expect(try stack.mesher("status").contains("invalid_json"))
        }
    }
}
