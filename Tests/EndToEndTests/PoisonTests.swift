import Foundation
import Synchronization
import TestServers
import Testing

extension OwnStack {
    /// With stacks of their own, of debug builds: a body that holds a certain word traps or never ends.
    struct PoisonTests {
        /// What goes on beside the request must not use up the window.
        private static let limit = "MESHER_RATE_LIMIT_EVENTS=1000000"
        private static let trap = #"{"message":"mesher-fault-trap","level":"error"}"#
        private static let hang = #"{"message":"mesher-fault-hang","level":"error"}"#
        private static let refusal = #"{"error":"request cannot be processed","reason":"poison"}"#

        /// A worker may map no file that it only reads, which is the scoreboard with what others have died of.
        private static let blindness = """
            #include <errno.h>
            #include <sys/mman.h>
            #include <sys/syscall.h>
            #include <unistd.h>

            void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
                if (protection == PROT_READ && flags & MAP_SHARED) return errno = EACCES, MAP_FAILED;
                return (void *)syscall(SYS_mmap, address, length, protection, flags, file, offset);
            }
            """

        private func log(_ stack: Stack) throws -> [Substring] {
            try String(contentsOfFile: stack.folder + "/watchdog.log", encoding: .utf8).split(separator: "\n")
        }

        private func deaths(_ stack: Stack) throws -> Int {
            try log(stack).count { $0.contains("child ended") && $0.contains("how=\"signal ") }
        }

        /// Posts a body while twenty others go on posting what is well, and returns its answer and theirs by status.
        private func post(_ body: String, amid project: Project) throws -> (answer: HTTPResponse, others: [Int: Int]) {
            let answers = Mutex<[Int: Int]>([:])
            let isOver = Atomic(false)
            let clients = DispatchGroup()
            for _ in 0..<20 {
                clients.enter()
                Thread.detachNewThread {
                    repeat {
                        let status = (try? project.post(#"{"message":"well","level":"info"}"#).status) ?? 0
                        answers.withLock { $0[status, default: 0] += 1 }
                    } while !isOver.load(ordering: .relaxed)
                    clients.leave()
                }
            }
            defer {
                isOver.store(true, ordering: .relaxed)
                clients.wait()
            }
            #expect(eventually { answers.withLock { $0[202] ?? 0 > 20 } })
            let answer = try project.post(body)
            let before = answers.withLock { $0.values.reduce(0, +) }
            #expect(eventually { answers.withLock { $0.values.reduce(0, +) > before + 20 } })
            isOver.store(true, ordering: .relaxed)
            clients.wait()
            return (answer, answers.withLock { $0 })
        }

        @Test(
            "A request that killed two workers is refused, its neighbours are not, and neither restart nor resending helps it"
        )
        func refusesPoison() throws {
            let stack = try Stack(settings: ["MESHER_WORKERS=3", Self.limit], programs: Stack.debugPrograms)
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let (answer, others) = try post(Self.trap, amid: project)
            print("neighbours of a deadly request: \(others)")
            #expect(answer.status == 400 && answer.text == Self.refusal)
            #expect(others.count == 1 && others[202] != nil)
            #expect(eventually { (try? deaths(stack)) == 2 })
            #expect(try log(stack).contains { $0.contains("last_words=") && $0.contains("Index out of range") })

            print(try stack.mesher("poison", "list"))
            let list = try stack.mesher("poison", "list", "--json")
            let records = try #require(try JSONSerialization.jsonObject(with: Data(list.utf8)) as? [[String: Any]])
            let record = try #require(records.first)
            #expect(records.count == 1 && record["deaths"] as? Int == 2 && record["project_id"] as? Int == project.id)
            #expect(record["bytes"] as? Int == Self.trap.utf8.count)

            // With another id, and with a watchdog that was started again.
            #expect(try project.post(Self.trap).text == Self.refusal)
            let watchdog = try #require(Processes(stack: stack).watchdog)
            kill(watchdog, SIGTERM)
            #expect(eventually { !FileManager.default.fileExists(atPath: stack["MESHER_RUN_DIR"] + "/watchdog.pid") })
            let sockets = try HeldSockets(for: stack)
            try sockets.start()
            defer { sockets.kill(SIGTERM) }
            #expect(try eventually { try stack.request("GET", "/readyz").status == 200 })
            #expect(try project.post(Self.trap).text == Self.refusal)
            // One byte more is another body.
            #expect(try project.post(Self.trap.replacingOccurrences(of: "-trap", with: "-trip")).status == 202)
            #expect(try deaths(stack) == 2)

            let request = try #require(record["request"] as? String)
            #expect(try stack.mesher("poison", "forget", request) == "1 request forgotten")
            #expect(try stack.mesher("poison", "list", "--json") == "[]")
            #expect(try project.post(Self.trap).text == Self.refusal)
            #expect(eventually { (try? deaths(stack)) == 4 }, "it had to kill two more")
        }

        @Test("So is one that kills while its key is looked for, when nothing else goes on")
        func refusesPoisonWithoutKey() throws {
            let stack = try Stack(settings: ["MESHER_WORKERS=3"], programs: Stack.debugPrograms)
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let envelope = #"{"dsn":"\#(project.dsn)","trace":"mesher-fault-trap"}"#
            let answer = try stack.request("POST", "/api/\(project.id)/envelope/", body: Array(envelope.utf8))
            #expect(answer.status == 400 && answer.json["causes"] as? [String] == ["poison"], "\(answer.text)")
            #expect(eventually { (try? deaths(stack)) == 2 })
        }

        @Test("Where workers do not see what others have died of it kills more than two, so that test could fail")
        func control() throws {
            let programs = try InterposedPrograms(Self.blindness, in: ["mesher-worker"], of: Stack.debugPrograms)
            defer { programs.remove() }
            let stack = try Stack(settings: ["MESHER_WORKERS=4", Self.limit], programs: programs.folder)
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            // It would go on for as many as nginx tries, 68.
            try Nginx(of: stack).withChanged("mesher-fastcgi.conf", replacing: "tries 68", by: "tries 4") {
                let (answer, others) = try post(Self.trap, amid: project)
                print("neighbours of a deadly request that nobody knows: \(others)")
                #expect(answer.text != Self.refusal)
                #expect(eventually { (try? deaths(stack)) ?? 0 > 2 })
            }
        }

        @Test(
            "A worker that handles one body for too long is killed, and a second one that tries it; then it is refused")
        func refusesEndless() throws {
            let stack = try Stack(
                settings: ["MESHER_WORKERS=2", "MESHER_STUCK_EXECUTING=1", Self.limit], programs: Stack.debugPrograms)
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let (answer, others) = try post(Self.hang, amid: project)
            print("neighbours of an endless request: \(others)")
            #expect(answer.text == Self.refusal)
            #expect(others.count == 1 && others[202] != nil)
            let stuck = try log(stack).filter { $0.contains("child is stuck") }
            #expect(stuck.count == 2 && stuck.allSatisfy { $0.contains("handles request") }, "\(stuck)")
        }
    }
}
