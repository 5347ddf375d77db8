import Foundation
import Synchronization
import TestServers
import Testing

extension OwnStack {
    /// Each with a stack of its own, since they kill.
    struct SupervisionTests {
        /// The processes whose command line has a text, by number.
        private func processes(_ text: String) throws -> [pid_t] {
            try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter { pid in
                guard let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
                return String(decoding: line, as: UTF8.self).contains(text)
            }
        }

        private func children(of pid: pid_t) throws -> [(pid: pid_t, name: String)] {
            try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.compactMap { child in
                guard let status = try? String(contentsOfFile: "/proc/\(child)/status", encoding: .utf8) else {
                    return nil
                }
                let lines = status.components(separatedBy: "\n")
                guard lines.contains("PPid:\t\(pid)"), !lines.contains(where: { $0.hasPrefix("State:\tZ") }) else {
                    return nil
                }
                return (child, String(lines[0].dropFirst("Name:\t".count)))
            }
        }

        private func watchdog(of stack: Stack) throws -> pid_t {
            let file = try String(contentsOfFile: stack["MESHER_RUN_DIR"] + "/watchdog.pid", encoding: .utf8)
            return try #require(pid_t(file.trimmingCharacters(in: .whitespacesAndNewlines)))
        }

        @Test("Workers and storage that are killed under load cost no client an event, and no answer is an error")
        func killUnderLoad() throws {
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000"])
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let watchdog = try watchdog(of: stack)
            let isOver = Atomic(false)
            let failures = Mutex<[String]>([])
            let accepted = Mutex<Set<String>>([])
            DispatchQueue.concurrentPerform(iterations: 5) { client in
                do {
                    if client == 0 {
                        defer { isOver.store(true, ordering: .relaxed) }
                        for _ in 0..<8 {
                            let workers = try children(of: watchdog).filter { $0.name.hasPrefix("mesher-worker") }
                            kill(try #require(workers.randomElement()).pid, SIGKILL)
                            // The next death comes when the place of this one is filled.
                            _ = try eventually {
                                try children(of: watchdog).count { $0.name.hasPrefix("mesher-worker") } >= workers.count
                            }
                            usleep(100_000)
                        }
                        return
                    }
                    var connection = try HTTPConnection(port: stack.port)
                    while !isOver.load(ordering: .relaxed) {
                        connection.send(
                            "POST", "/api/v1/events", [("Authorization", "Bearer \(project.key)")],
                            body: Array(#"{"message":"m","level":"info"}"#.utf8))
                        let response = try connection.receive()
                        // nginx ends a connection after so many requests, and says so.
                        if response.header("Connection") == "close" {
                            connection = try HTTPConnection(port: stack.port)
                        }
                        guard response.status == 202, let id = response.id else {
                            failures.withLock { $0.append("\(response.status) \(response.text)") }
                            continue
                        }
                        accepted.withLock { _ = $0.insert(id) }
                    }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            #expect(failures.withLock { $0 } == [])
            let stored = try stack.query(
                "SELECT replace(event_id::text, '-', '') FROM events WHERE project_id = \(project.id)")
            let sent = accepted.withLock { $0 }
            #expect(sent.count > 100)
            #expect(sent.subtracting(stored.map { $0[0] }) == [], "what was accepted is stored")
            #expect(stored.count == sent.count, "and nothing twice")
        }

        @Test("Storage that is killed is replaced, and every event that was accepted is stored")
        func killStorage() throws {
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000"])
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let watchdog = try watchdog(of: stack)
            let storage = try #require(try children(of: watchdog).first { $0.name == "mesher-storage" })
            var accepted: Set<String> = []
            for number in 0..<200 {
                if number == 50 { kill(storage.pid, SIGKILL) }
                let response = try project.post(#"{"message":"m","level":"info"}"#)
                #expect([202, 503].contains(response.status))
                if let id = response.id { accepted.insert(id) }
            }
            let isBack = try eventually { try project.post(#"{"message":"m","level":"info"}"#).status == 202 }
            #expect(isBack)
            let stored = try stack.query(
                "SELECT replace(event_id::text, '-', '') FROM events WHERE project_id = \(project.id)")
            #expect(accepted.subtracting(stored.map { $0[0] }) == [])
        }

        @Test("SIGTERM ends everything that the watchdog started, and of its files only the counters stay")
        func leavesNothing() throws {
            let stack = try Stack()
            defer { stack.stop() }
            let watchdog = try watchdog(of: stack)
            let directory = stack["MESHER_RUN_DIR"]
            let started = try children(of: watchdog)
            #expect(Set(started.map(\.name)) == ["mesher-storage", "mesher-stream", "mesher-worker"])
            kill(watchdog, SIGTERM)
            let isGone = try eventually {
                try Set(FileManager.default.contentsOfDirectory(atPath: directory)) == ["quota", "scoreboard"]
                    && started.allSatisfy { kill($0.pid, 0) != 0 }
            }
            #expect(isGone)
            let response = try stack.request("POST", "/api/v1/events")
            #expect(response.status == 503)
            #expect(response.reason == "unavailable")
        }

        @Test("When the watchdog is killed its children die with it")
        func childrenDieWithTheWatchdog() throws {
            let stack = try Stack()
            defer { stack.stop() }
            let watchdog = try watchdog(of: stack)
            let started = try children(of: watchdog)
            #expect(started.count >= 3)
            kill(watchdog, SIGKILL)
            let areGone = eventually {
                started.allSatisfy { child in
                    let status = try? String(contentsOfFile: "/proc/\(child.pid)/status", encoding: .utf8)
                    return status.map { $0.contains("State:\tZ") } ?? true
                }
            }
            #expect(areGone)
        }

        @Test("Data is there again after the stack was down")
        func dataSurvives() throws {
            let stack = try Stack()
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            #expect(try project.post(#"{"message":"m","level":"info"}"#).status == 202)
            let environment = [
                "MESHER_STACK_DIR": stack.folder, "MESHER_PORT": "\(stack.port)",
                "MESHER_STACK_BIN": stack["MESHER_BIN"],
            ]
            let script = Stack.root + "/development/stack"
            try Execution.output([script, "down"], environment: environment)
            #expect(!FileManager.default.fileExists(atPath: stack.folder + "/env"))
            #expect(try processes(stack.folder).filter { $0 != getpid() } == [], "nothing runs after down")
            try Execution.output([script, "up"], environment: environment)
            #expect(try project.post(#"{"message":"m","level":"info"}"#).status == 202)
        }
    }
}
