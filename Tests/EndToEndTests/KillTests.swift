import Foundation
import Synchronization
import TestServers
import Testing

extension EndToEnd {
    /// wrk at full load while processes are killed: no client sees an error, and what was accepted is stored.
    @Suite(.serialized)
    struct KillTests {
        let project: Project
        let processes: Processes

        init() throws {
            try self.init(on: EndToEnd.stack())
        }

        private init(on stack: Stack) throws {
            project = try Project.create(on: stack)
            processes = Processes(stack: stack)
        }

        /// Kills a few times under load, which no client may notice. The requests that the host had in hand at each kill
        /// are printed; a test in which there never were any shows nothing.
        private func underLoad(
            _ name: String, kills: Int, seconds pause: Double, signal: Int32 = SIGKILL, victims: () -> [pid_t]
        ) throws {
            let (result, inHand) = try kill(name, kills, pause, signal, victims)
            #expect(inHand.contains { $0 > 0 })
            #expect(result.failures == 0, "\(result) \(lastAttempts())")
            #expect(try result.accepted > 0 && project.count() == result.accepted)
        }

        /// - Returns: what the clients saw, and the requests in hand at each kill.
        private func kill(
            _ name: String, _ kills: Int, _ pause: Double, _ signal: Int32, _ victims: () -> [pid_t]
        ) throws -> (seen: Load.Result, inHand: [Int]) {
            let duration = Double(kills) * pause
            let load = try Load(on: project, seconds: Int(duration) + 3)
            let end = Date(timeIntervalSinceNow: duration + 0.5)
            var inHand: [Int] = []
            // On a slow machine there are fewer.
            for _ in 0..<kills where Date() < end {
                usleep(UInt32(pause * 1_000_000))
                var chosen: [pid_t] = []
                // A successor that did not live for a second comes later.
                #expect(
                    eventually {
                        chosen = victims()
                        return !chosen.isEmpty
                    })
                inHand.append(processes.requestsInHand())
                for pid in chosen { Glibc.kill(pid, signal) }
            }
            #expect(load.isRunning, "the load outlasts the kills")
            let result = try load.result()
            let rows = try project.count()
            print("\(name): in hand \(inHand), accepted \(result.accepted), rows \(rows), failures \(result.failures)")
            return (result, inHand)
        }

        /// What nginx says when it has no line left to try, or waited in vain.
        private func lastAttempts() -> [Substring] {
            let log = (try? String(contentsOfFile: project.stack.folder + "/nginx/error.log", encoding: .utf8)) ?? ""
            return log.split(separator: "\n").filter { $0.contains("no live upstreams") || $0.contains("timed out") }
                .suffix(3)
        }

        private func anyWorker() -> [pid_t] {
            processes.children("mesher-worker", "events").randomElement().map { [$0] } ?? []
        }

        @Test("A worker killed each second for half a minute")
        func killsWorkers() throws {
            try underLoad("worker each second", kills: 30, seconds: 1, victims: anyWorker)
        }

        @Test("Without `non_idempotent` in nginx's files clients do see it, so these tests could fail")
        func control() throws {
            let nginx = Nginx(of: project.stack)
            try nginx.withChanged("mesher-fastcgi.conf", replacing: " non_idempotent", by: "") {
                // A death may find no request in hand.
                let isSeen = try (1...20).contains { _ in
                    try kill("worker each second, no retry", 2, 1, SIGKILL, anyWorker).seen.failures > 0
                }
                #expect(isSeen)
            }
        }

        @Test("Two workers killed together")
        func killsTwoWorkers() throws {
            try underLoad("two workers together", kills: 4, seconds: 1.2) {
                Array(processes.children("mesher-worker", "events").prefix(2))
            }
        }

        @Test("Storage killed every three seconds: the edges submit again")
        func killsStorage() throws {
            try underLoad("storage every 3 s", kills: 2, seconds: 3) { processes.children("mesher-storage") }
        }

        @Test(
            "PostgreSQL's sessions ended, and then storage killed, while both have a commit under way: nothing is lost or doubled"
        )
        func endsBothSessions() throws {
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000"])
            defer { stack.stop() }
            // So that both have one most of the time.
            try stack.prolongStatements()
            let (project, processes) = (try Project.create(on: stack), Processes(stack: stack))
            let load = try Load(on: project, seconds: 600)
            for _ in 0..<3 {
                #expect(eventually { (try? endCommits(on: stack)) == 2 })
                #expect(eventually { (try? commits(on: stack)) == 2 })
                for pid in processes.children("mesher-storage") { Glibc.kill(pid, SIGKILL) }
            }
            let result = try load.finish()
            #expect(result.failures == 0 && result.accepted > 0, "\(result)")
            var rows = 0
            #expect(
                try eventually {
                    rows = try project.count()
                    return rows == result.accepted
                }, "\(rows) rows of \(result.accepted)")
        }

        /// Storage's sessions for single events, as its role sees them, while both have a statement under way.
        private static let bothCommits = """
            FROM pg_stat_activity WHERE application_name LIKE 'mesher-storage commit%' AND state = 'active'
            """

        private func commits(on stack: Stack) throws -> Int {
            try Int(asStorage("SELECT count(*) \(Self.bothCommits)", on: stack)) ?? 0
        }

        /// - Returns: how many of both were ended; none unless both had a statement under way.
        private func endCommits(on stack: Stack) throws -> Int {
            let sql = """
                SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid, count(*) OVER () AS all_of_them \(Self.bothCommits))
                    AS a WHERE all_of_them = 2
                """
            return try Int(asStorage(sql, on: stack)) ?? 0
        }

        private func asStorage(_ sql: String, on stack: Stack) throws -> String {
            try Execution.output([
                "psql", "-XqtA", "--dbname=" + stack["MESHER_STORAGE_DATABASE_URL"], "--command=" + sql,
            ])
        }

        @Test("Three hang-ups, each while the load goes on")
        func hangsUp() throws {
            try underLoad("SIGHUP", kills: 3, seconds: 1, signal: SIGHUP) { processes.watchdog.map { [$0] } ?? [] }
        }

        @Test("All workers and storage killed at once, twenty times: it serves again within a second, as a rule")
        func killsAll() throws {
            let times = try (0..<20).map { _ in try killAll() }
            print("all killed at once, milliseconds until it serves again: \(times.map { Int($0 * 1000) })")
            // A machine that others use as well may be slow once, and never so slow.
            #expect(times.sorted()[times.count / 2] < 1 && times.allSatisfy { $0 < 20 })
        }

        @Test("Beside a watchdog that is stopped nothing serves within that second, so that test could fail")
        func killsAllControl() throws {
            let watchdog = try #require(processes.watchdog)
            let time = try killAll {
                Glibc.kill(watchdog, SIGSTOP)
                Thread.detachNewThread {
                    usleep(1_500_000)
                    Glibc.kill(watchdog, SIGCONT)
                }
            }
            #expect(time > 1)
        }

        /// Kills all children of the watchdog.
        ///
        /// - Parameter prepare: what is done just before.
        /// - Returns: after how many seconds it serves again.
        private func killAll(_ prepare: () -> Void = {}) throws -> Double {
            // What dies within its first second is started again later.
            usleep(1_100_000)
            let begun = Date()
            let children = processes.children()
            prepare()
            for pid in children { Glibc.kill(pid, SIGKILL) }
            while try project.stack.request("GET", "/readyz").status != 200 { usleep(5_000) }
            return -begun.timeIntervalSinceNow
        }

        @Test("One event by POST, in a bulk and over a stream while workers are killed: three answers, one row")
        func sameEvent() throws {
            let events = try sendThreeWays(to: project, kills: 4)
            #expect(try project.count() == events)
        }

        @Test(
            "Without a primary key and a look at what is stored, that is three rows, and storage's death doubles others"
        )
        func storedTwice() throws {
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000"])
            defer { stack.stop() }
            try stack.hideEvents()
            try stack.dropPrimaryKey()
            let project = try Project.create(on: stack)
            let events = try sendThreeWays(to: project, kills: 1)
            #expect(try project.count() > events)

            try killStorage("storage, no primary key", on: stack) { rows, accepted in rows > accepted }
        }

        @Test("A storage that acknowledges what has only come loses some of it by its death")
        func answersEarly() throws {
            let programs = try InterposedPrograms(
                "", in: ["mesher-storage"], of: Stack.debugPrograms, ["MESHER_FAULT": "early"])
            defer { programs.remove() }
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000"], programs: programs.folder)
            defer { stack.stop() }
            try stack.prolongStatements()
            try killStorage("storage, early answers", on: stack) { rows, accepted in rows < accepted }
        }

        /// Kills storage under load on a stack whose protection is switched off, until harm is seen: a death may find no
        /// event that it harms.
        private func killStorage(_ name: String, on stack: Stack, _ isHarmed: (_ rows: Int, _ accepted: Int) -> Bool)
            throws
        {
            let isSeen = try (1...20).contains { _ in
                let other = try KillTests(on: stack)
                let seen = try other.kill(name, 2, 1.2, SIGKILL) { other.processes.children("mesher-storage") }.seen
                return try isHarmed(other.project.count(), seen.accepted)
            }
            #expect(isSeen)
        }

        /// Sends events, each three ways at once, until workers have been killed so many times.
        ///
        /// - Returns: how many.
        private func sendThreeWays(to project: Project, kills: Int) throws -> Int {
            let streams = Streams(project: project)
            let processes = Processes(stack: project.stack)
            let isOver = Atomic(false)
            let killer = Thread {
                for _ in 0..<kills {
                    // What dies within its first second is started again later.
                    usleep(1_200_000)
                    let workers = processes.children("mesher-worker", "events").prefix(1)
                    for pid in workers + processes.children("mesher-worker", "bulk") { Glibc.kill(pid, SIGKILL) }
                }
                isOver.store(true, ordering: .relaxed)
            }
            killer.start()
            var events = 0
            let stream = try streams.open(throughNginx: true)
            while !isOver.load(ordering: .relaxed) {
                events += 1
                let id = UUID().uuidString.lowercased().filter { $0 != "-" }
                let event = #"{"message":"same","level":"error","event_id":"\#(id)"}"#
                let (single, bulk) = try (
                    HTTPConnection(port: project.stack.port), HTTPConnection(port: project.stack.port)
                )
                let headers = [("Authorization", "Bearer \(project.key)"), ("Connection", "close")]
                single.send("POST", "/api/v1/events", headers, body: Array(event.utf8))
                bulk.send("POST", "/api/v1/events/bulk", headers, body: Array("[\(event)]".utf8))
                stream.send(event)
                let accepted = #"{"status":"accepted","id":"\#(id)"}"#
                #expect(try single.receive().text == accepted)
                #expect(try bulk.receive().text.contains(#""ids":["\#(id)"]"#))
                #expect(stream.receive() == .text(accepted))
            }
            print("one event three ways while workers are killed: \(events) events")
            return events
        }

        @Test("The watchdog needs less than 10 MB, and links none of the libraries that it must outlive")
        func staysSmall() throws {
            let watchdog = try #require(processes.watchdog)
            // Pages of libraries that others have loaded as well count for their part.
            let memory = try String(contentsOfFile: "/proc/\(watchdog)/smaps_rollup", encoding: .utf8)
            let line = try #require(memory.split(separator: "\n").first { $0.hasPrefix("Pss:") })
            let kilobytes = try #require(line.split(separator: " ").compactMap { Int($0) }.first)
            print("watchdog: \(kilobytes) kB")
            #expect(kilobytes < 10_000)
            let libraries = try Execution.output(["ldd", project.stack["MESHER_BIN"] + "/mesher-watchdog"])
            for name in ["libpq", "libhiredis", "libfcgi", "libcurl", "libsimdjson", "libFoundation"] {
                #expect(!libraries.contains(name))
            }
        }
    }
}
