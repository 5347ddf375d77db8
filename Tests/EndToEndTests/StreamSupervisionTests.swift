import Foundation
import Scoreboard
import TestServers
import Testing

extension EndToEnd {
    /// What happens to streams when processes end, and what is known of them.
    @Suite(.serialized)
    struct StreamSupervisionTests {
        let project: Project
        let streams: Streams
        let processes: Processes

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
            streams = Streams(project: project)
            processes = Processes(stack: project.stack)
        }

        @Test("A session that dies of SIGSEGV among 500 closes one connection; 499 go on, and none misses an answer")
        func sessionDies() throws {
            let listener = processes.children("mesher-stream")
            let before = try HostMetrics.next(from: project.stack)
            let (others, ended) = try die { $0[250].pid }
            #expect(ended == 1)
            let areLeft = try eventually { try streams.sessions().count == 499 }
            #expect(areLeft)
            for client in others { client.send(Streams.event("later")) }
            #expect(others.allSatisfy { $0.receive().isAccepted })
            let rows = try project.count()
            #expect((3 * 499...3 * 499 + 2).contains(rows), "those of 499, and what the one was told or was not")
            #expect(processes.children("mesher-stream") == listener)
            let killed = "mesher_stream_sessions_closed_total"
            let after = try HostMetrics.next(from: project.stack)
            #expect(after[killed, ["code": "killed"]] - before[killed, ["code": "killed"]] == 1)
        }

        @Test("If the process that dies so is the one that all sessions share, all end: that test could fail")
        func sessionDiesControl() throws {
            let listener = try #require(processes.children("mesher-stream").first)
            let (others, ended) = try die { _ in listener }
            #expect(ended == 500 && others.allSatisfy { $0.receive() == .ended })
            #expect(try eventually { try streams.open().status == 101 })
        }

        /// Lets a process die of SIGSEGV while each of 500 streams has an event on its way.
        ///
        /// - Parameter victim: chooses it, given the sessions.
        /// - Returns: the streams that go on, and how many have ended.
        private func die(_ victim: ([SessionReading]) -> pid_t) throws -> (others: [StreamClient], ended: Int) {
            let clients = try (0..<500).map { _ in try streams.open() }
            #expect(clients.allSatisfy { $0.status == 101 })
            // Of each client one event is on its way when it happens, and one comes right after.
            for client in clients { client.send(Streams.event("before")) }
            let sessions = try streams.sessions()
            try #require(sessions.count == 500)
            let victim = victim(sessions)
            kill(victim, SIGSEGV)
            // What is busy may be late to die, and others would have all their answers by then.
            #expect(eventually { kill(victim, 0) != 0 })
            for client in clients { client.send(Streams.event("after")) }
            let received = clients.map { [$0.receive(), $0.receive()] }
            let others = clients.indices.filter { !received[$0].contains(.ended) }
            #expect(others.allSatisfy { received[$0].allSatisfy { $0.isAccepted } })
            return (others.map { clients[$0] }, clients.count - others.count)
        }

        @Test("A revoked key closes its streams with 1008 within a second, and no other")
        func revocation() throws {
            let output = try project.stack.mesher("key", "create", project.slug, "--json")
            let object = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
            let key = try #require(object?["key"] as? String)
            let other = try streams.open()
            var client: StreamClient?
            let isOpen = try eventually {
                client = try StreamClient(port: streams.directPort, ["Authorization: Bearer \(key)"])
                return client?.status == 101
            }
            try #require(isOpen)
            try project.stack.mesher("key", "revoke", key, "--yes")
            let begun = Date()
            #expect(client?.receive() == .closed(1_008))
            #expect(-begun.timeIntervalSinceNow < 1)
            other.send(Streams.event("still here"))
            #expect(other.receive().isAccepted)
        }

        @Test("Storage killed while messages are in flight: each is answered, and stored once")
        func storageDies() throws {
            let clients = try (0..<5).map { _ in try streams.open(throughNginx: true) }
            for client in clients { for number in 0..<200 { client.send(Streams.event("\(number)")) } }
            for pid in processes.children("mesher-storage") { kill(pid, SIGKILL) }
            for client in clients { for number in 200..<250 { client.send(Streams.event("\(number)")) } }
            for client in clients {
                let answers = (0..<250).map { _ in client.receive() }
                #expect(answers.allSatisfy { $0.isAccepted })
            }
            #expect(try project.count() == 1_250)
        }

        @Test("A reload leaves open streams alone; new ones come to the new listener, and a stop closes both with 1012")
        func reloadAndStop() throws {
            let stack = try Stack(settings: ["MESHER_STREAM_PROJECT_CONNECTIONS=3"])
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let streams = Streams(project: project)
            let old = try streams.open()
            old.send(Streams.event("before"))
            #expect(old.receive().isAccepted)
            try stack.mesher("reload")
            old.send(Streams.event("after"))
            #expect(old.receive().isAccepted)
            let new = try streams.open(throughNginx: true)
            #expect(Streams.pipeline(new, count: 10).allSatisfy { $0.isAccepted })
            // Those of the old listener count as well.
            let third = try streams.open()
            let fourth = try streams.open()
            #expect(third.status == 101 && fourth.status == 429)
            #expect(fourth.body == #"{"error":"too many connections","reason":"too_many_connections"}"#)
            let listed = try stack.mesher("status", "--json")
            #expect(listed.components(separatedBy: #""role":"session""#).count == 4)
            #expect(try stack.mesher("sessions").split(separator: "\n").count == 4)
            for client in [old, new] { for number in 0..<20 { client.send(Streams.event("\(number)")) } }
            // The first answer says that they have arrived, one behind the other on one connection.
            var answers = [old.receive(), new.receive()]
            kill(try #require(Processes(stack: stack).watchdog), SIGTERM)
            for client in [old, new] {
                var last = client.receive()
                while case .text = last {
                    answers.append(last)
                    last = client.receive()
                }
                #expect(last == .closed(1_012))
            }
            #expect(answers.allSatisfy { $0.isAccepted })
            #expect(try project.count() == 12 + answers.count)
        }

        @Test("A session has no new privileges, no descriptors but its own, and is confined as the kernel allows")
        func confinement() throws {
            let client = try streams.open()
            client.send(Streams.event("for Redis"))
            #expect(client.receive().isAccepted)
            let pid = try #require(try streams.sessions().first?.pid)
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            #expect(status.contains("NoNewPrivs:\t1\n"))
            #expect(status.contains("Seccomp:\t2\n"))
            let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")
            #expect(Set(descriptors.compactMap { Int($0) }) == Set(0...7))
            let title = Processes.commandLine(pid).joined(separator: " ")
            #expect(title == "mesher-stream: session of project \(project.id), open")
            let environment = try String(contentsOfFile: "/proc/\(pid)/environ", encoding: .utf8)
            #expect(!environment.contains("MESHER_"))
        }

        @Test("A listener that is killed takes its sessions along, is replaced at once, and no count is lost")
        func listenerDies() throws {
            let client = try streams.open()
            client.send(Streams.event("counted"))
            #expect(client.receive().isAccepted)
            let before = try HostMetrics.next(from: project.stack)
            for pid in processes.children("mesher-stream") { kill(pid, SIGKILL) }
            #expect(client.receive() == .ended)
            let isBack = try eventually { try streams.open().status == 101 }
            #expect(isBack)
            let after = try HostMetrics.next(from: project.stack)
            #expect(after.accepted >= before.accepted)
            let killed = "mesher_stream_sessions_closed_total"
            #expect(after[killed, ["code": "killed"]] > before[killed, ["code": "killed"]])
        }
    }
}
