import Foundation
import Scoreboard
import TestServers
import Testing

extension EndToEnd {
    /// With a stack of its own, whose watchdog gets its sockets from a parent, as from systemd.
    struct WatchdogDeathTests {
        @Test(
            "The watchdog killed under load: no counter goes back, and no client sees an error unless nobody held the sockets",
            arguments: [true, false])
        func killsWatchdog(areHeld: Bool) throws {
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000"])
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let processes = Processes(stack: stack)
            let first = try #require(processes.watchdog)
            kill(first, SIGTERM)
            #expect(eventually { !FileManager.default.fileExists(atPath: stack["MESHER_RUN_DIR"] + "/watchdog.pid") })
            let sockets = try areHeld ? HeldSockets(for: stack) : HeldSockets(for: stack, [])
            try sockets.start()
            defer { sockets.kill(SIGTERM) }
            #expect(try eventually { try stack.request("GET", "/readyz").status == 200 })

            let (kills, pause) = areHeld ? (2, 4) : (1, 1)
            let load = try Load(on: project, seconds: kills * (pause + 1) + 2)
            var inHand: [Int] = []
            var counted: [UInt64] = []
            for _ in 0..<kills {
                usleep(UInt32(pause) * 1_000_000)
                counted.append(
                    ScoreboardFile.readings(in: stack["MESHER_RUN_DIR"]).map(\.requestCount).reduce(0, +))
                inHand.append(processes.requestsInHand())
                sockets.kill()
                // RestartSec of mesher.service.
                usleep(1_000_000)
                try sockets.start()
            }
            #expect(load.isRunning)
            let result = try load.result()
            let rows = try project.count()
            let total = ScoreboardFile.readings(in: stack["MESHER_RUN_DIR"]).map(\.requestCount).reduce(0, +)
            print(
                "watchdog every \(pause + 1) s, sockets \(areHeld ? "" : "not ")held: in hand \(inHand), "
                    + "accepted \(result.accepted), failures \(result.failures), rows \(rows)")
            #expect((result.failures == 0) == areHeld, "\(result)")
            // An event may be stored though its answer was 503.
            #expect(result.accepted > 0 && (areHeld ? rows == result.accepted : rows >= result.accepted))
            #expect(inHand.contains { $0 > 0 })
            #expect(counted == counted.sorted() && total >= counted.last ?? 0)
        }

        @Test("A worker that exits at once is started ever less often, and the end names the cause")
        func givesUp() throws {
            let stack = try EndToEnd.stack()
            let folder = stack.folder + "/hopeless"
            try FileManager.default.createDirectory(atPath: folder + "/bin", withIntermediateDirectories: true)
            let script = "#!/bin/sh\necho no such thing >&2\nexit 7\n"
            try script.write(toFile: folder + "/bin/mesher-worker", atomically: true, encoding: .utf8)
            chmod(folder + "/bin/mesher-worker", 0o755)
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/bin/mesher-storage", withDestinationPath: stack["MESHER_BIN"] + "/mesher-storage")
            let log = folder + "/log"
            let command =
                "exec \(stack["MESHER_BIN"])/mesher-watchdog --config \(stack.folder)/mesher.conf "
                + "MESHER_RUN_DIR=\(folder)/run MESHER_BIN=\(folder)/bin MESHER_WORKERS=2 MESHER_START_TIMEOUT=6 "
                + "MESHER_STREAM_ADDRESS= 2>\(log)"
            let begun = Date()
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", command]
            process.standardInput = FileHandle.nullDevice
            try process.run()
            let status = folder + "/run/status.json"
            let isVisible = eventually {
                ((try? String(contentsOfFile: status, encoding: .utf8)) ?? "").contains("\"waiting\"")
            }
            #expect(isVisible, "the pause is in the status")
            var ticks = 0
            while process.isRunning {
                let words = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8))?
                    .split(separator: " ").map(String.init)
                if let words, words.count > 15 { ticks = (Int(words[13]) ?? 0) + (Int(words[14]) ?? 0) }
                usleep(50_000)
            }
            let seconds = -begun.timeIntervalSinceNow
            let share = Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK))) / seconds
            let text = try String(contentsOfFile: log, encoding: .utf8)
            let deaths = text.components(separatedBy: "how=\"exit status 7\"").count - 1
            print("hopeless worker: \(deaths) deaths in \(Int(seconds)) s, watchdog CPU \(share * 100) %")
            #expect(process.terminationStatus == 1)
            #expect(share < 0.01)
            #expect(deaths < 30, "three children, each at 0, 0.25, 0.75, 1.75, 3.75 s")
            let last = try #require(text.split(separator: "\n").last { $0.contains("critical: ") })
            #expect(last.contains("no worker became ready"))
            #expect(last.contains("worker events 0: exit status 7, last words: no such thing"))
        }
    }
}
