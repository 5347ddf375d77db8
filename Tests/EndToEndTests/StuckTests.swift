import Foundation
import TestServers
import Testing

extension OwnStack {
    /// With a stack of its own, whose patience with what stands still is short.
    struct StuckTests {
        @Test("A worker and a storage that stand still under load are replaced, and no client sees an error")
        func replacesWhatStandsStill() throws {
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000", "MESHER_STUCK_HEARTBEAT=3"])
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let processes = Processes(stack: stack)
            for command in [["mesher-worker", "events"], ["mesher-storage"]] {
                let before = try project.count()
                let load = try Load(on: project, seconds: 8)
                usleep(1_000_000)
                let all = { processes.children().filter { Processes.commandLine($0) == command } }
                let victim = try #require(all().first)
                let count = all().count
                kill(victim, SIGSTOP)
                #expect(eventually { !all().contains(victim) && all().count == count })
                let result = try load.result()
                print("\(command): \(result)")
                #expect(result.failures == 0, "\(result)")
                #expect(try project.count() - before == result.accepted)
            }
            let log = try String(contentsOfFile: stack.folder + "/watchdog.log", encoding: .utf8)
            #expect(log.contains("child is stuck") && log.contains("its loop stands still"))
        }

        @Test("A worker that has answered its share is replaced without a refused request")
        func recycles() throws {
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000", "MESHER_WORKER_REQUESTS=2000"])
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let processes = Processes(stack: stack)
            let before = Set(processes.children("mesher-worker", "events"))
            let load = try Load(on: project, seconds: 4)
            #expect(eventually { before.isDisjoint(with: processes.children("mesher-worker", "events")) })
            let result = try load.result()
            #expect(result.failures == 0, "\(result)")
            #expect(try project.count() == result.accepted)
        }
    }
}
