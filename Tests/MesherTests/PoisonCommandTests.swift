import Foundation
import Scoreboard
import System
import TestServers
import Testing

struct PoisonCommandTests {
    private let folder = "/tmp/mesher-poison.\(UInt32.random(in: 0 ... .max))"

    private func run(_ arguments: [String]) throws -> Execution {
        try Execution.run(
            Execution.program("mesher"), ["poison"] + arguments, environment: ["MESHER_RUN_DIR": folder])
    }

    /// Makes a scoreboard in which these requests have killed so many processes each.
    private func withDeaths(_ deaths: [(request: UInt128, count: Int)], _ body: () throws -> Void) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let scoreboard = try ScoreboardFile.open(in: folder)
        let slot = try #require(scoreboard.claim(.worker, name: "worker")?.slot)
        setenv(ScoreboardFile.slotVariable, "\(slot)", 1)
        let process = try ProcessSlot.inherited(runDirectory: folder)
        unsetenv(ScoreboardFile.slotVariable)
        for (request, count) in deaths {
            for _ in 0..<count {
                process.beginExecuting(request, BodyMark(project: 3, size: 120, hash: 0xab))
                process.finishExecuting()
                process.beginExecuting(request, BodyMark(project: 3, size: 120, hash: UInt64(request)))
                _ = scoreboard.recordDeath(ofSlot: slot, wall: 90_061_000_000)
            }
        }
        try body()
    }

    @Test("What is refused is listed, and what killed one process alone is not")
    func lists() throws {
        try withDeaths([(0xab, 2), (0xcd, 1)]) {
            let lines = try run(["list"]).output.split(separator: "\n")
            #expect(lines.count == 2)
            let words = lines[1].split(separator: " ")
            #expect(
                words == [
                    "000000000000000000000000000000ab", "3", "120", "00000000000000ab", "2", "1970-01-02", "01:01:01Z",
                ])
            let json = try run(["list", "--json"]).output
            #expect(
                json == """
                    [{"request":"000000000000000000000000000000ab","project_id":3,"bytes":120,\
                    "hash":"00000000000000ab","deaths":2,"died_at":"1970-01-02 01:01:01Z"}]

                    """)
        }
    }

    @Test("One is forgotten, or all; what is not there is a fault")
    func forgets() throws {
        let identifier = { "000000000000000000000000000000" + $0 }
        let steps: [(arguments: [String], status: Int32, output: String)] = [
            ([identifier("EF")], 65, ""), ([identifier("AB")], 0, "1 request forgotten\n"),
            ([identifier("ab")], 65, ""),
            (["nonsense"], 65, ""), ([], 64, ""), (["--all", identifier("CD")], 64, ""),
            (["--all"], 0, "1 request forgotten\n"), (["--all"], 0, "0 requests forgotten\n"),
        ]
        try withDeaths([(0xab, 2), (0xcd, 3), (0xef, 1)]) {
            for step in steps {
                let execution = try run(["forget"] + step.arguments)
                #expect(execution.status == step.status && execution.output == step.output, "\(step)")
            }
        }
    }

    @Test("Where no watchdog has run it ends with 69 and says so", arguments: [["list"], ["forget", "--all"]])
    func noService(arguments: [String]) throws {
        let execution = try run(arguments)
        #expect(execution.status == 69 && execution.errors.contains(folder))
    }
}
