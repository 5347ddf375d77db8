import Foundation
import TestServers
import Testing

extension EndToEnd {
    @Suite(.serialized)
    struct ReloadTests {
        let project: Project
        let processes: Processes

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
            processes = Processes(stack: project.stack)
        }

        private func reload() throws -> Execution {
            let program = project.stack["MESHER_BIN"] + "/mesher"
            return try Execution.run(program, ["reload"], environment: project.stack.variables)
        }

        @Test("Three reloads under full load replace every process, and no request fails")
        func reloadsUnderLoad() throws {
            let load = try Load(on: project, seconds: 6)
            var replaced = 0
            for _ in 0..<3 {
                let before = Set(processes.children())
                let execution = try reload()
                #expect(execution.status == 0, "\(execution.errors)")
                // A listener that has streams would stay as long as they do; this one has none.
                #expect(eventually { before.isDisjoint(with: processes.children()) })
                replaced += before.count
            }
            #expect(load.isRunning)
            let result = try load.result()
            print("reload: \(replaced) processes replaced, \(result.accepted) accepted, \(result.failures) failures")
            #expect(result.failures == 0, "\(result)")
            #expect(result.accepted > 0)
            #expect(try project.count() == result.accepted)
        }

        @Test("Right after a reload the status shows the new processes and no others")
        func statusAfterReload() throws {
            for _ in 0..<3 {
                #expect(try reload().status == 0)
                let text = try project.stack.mesher("status", "--json")
                let status = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
                let listed = try #require(status?["processes"] as? [[String: Any]])
                let pids = listed.filter { $0["role"] as? String != "watchdog" }.compactMap { $0["pid"] as? Int }
                #expect(Set(pids) == Set(processes.children().map(Int.init)))
                #expect(listed.allSatisfy { $0["state"] as? String == "ready" }, "\(text)")
            }
        }

        @Test("A bad configuration is named, and nothing changes")
        func refusesBadConfiguration() throws {
            let path = project.stack.folder + "/mesher.conf"
            let good = try String(contentsOfFile: path, encoding: .utf8)
            defer { try? good.write(toFile: path, atomically: true, encoding: .utf8) }
            try (good + "MESHER_NONSENSE=1\n").write(toFile: path, atomically: true, encoding: .utf8)
            let before = processes.children()
            let execution = try reload()
            #expect(execution.status == 78)
            #expect(execution.errors.contains("mesher.conf:") && execution.errors.contains("MESHER_NONSENSE"))
            #expect(processes.children() == before)
            #expect(try project.post(#"{"message":"still there","level":"info"}"#).status == 202)
        }

        @Test("A reload takes the number of workers from the configuration; signals add one and take one away")
        func changesTheNumberOfWorkers() throws {
            let path = project.stack.folder + "/mesher.conf"
            let good = try String(contentsOfFile: path, encoding: .utf8)
            defer { try? good.write(toFile: path, atomically: true, encoding: .utf8) }
            func workers() -> Int { processes.children("mesher-worker", "events").count }
            let usual = workers()
            try (good + "MESHER_WORKERS=3\n").write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try reload().status == 0)
            #expect(eventually { workers() == 3 })
            let watchdog = try #require(processes.watchdog)
            kill(watchdog, SIGTTIN)
            #expect(eventually { workers() == 4 })
            kill(watchdog, SIGTTOU)
            #expect(eventually { workers() == 3 })
            try good.write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try reload().status == 0)
            #expect(eventually { workers() == usual })
        }

        @Test("A process finds its own settings in its environment and nothing else")
        func environments() throws {
            let worker = try #require(processes.children("mesher-worker", "events").first)
            let storage = try #require(processes.children("mesher-storage").first)
            let names = Processes.environment(worker).map { $0.prefix { $0 != "=" } }
            #expect(names.contains("MESHER_RUN_DIR") && names.contains("MESHER_READY_FD"))
            #expect(!names.contains { $0.contains("DATABASE_URL") })
            // A secret is in nobody's.
            #expect(!Processes.environment(storage).contains { $0.contains("DATABASE_URL") })
            func others(_ pid: pid_t) -> [String] {
                Processes.environment(pid).filter { !$0.hasPrefix("MESHER_") }
            }
            #expect(others(storage) == ["SWIFT_BACKTRACE=enable=no"])
            // glibc divides its variable in place, at the colon.
            #expect(
                others(worker).filter {
                    !$0.hasPrefix("GLIBC_TUNABLES=glibc.malloc.") && !$0.hasPrefix("glibc.malloc.")
                }
                    == ["SWIFT_BACKTRACE=enable=no"])
        }
    }
}
