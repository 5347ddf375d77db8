import Foundation
import RecordedInputs
import Scoreboard
import System
import Testing

@testable import mesher_watchdog

/// A process that was taken over may write anything into what it shares with the watchdog, which must go on and say of the
/// others what is so.
struct HostileScoreboardTests {
    private static let pageSize = 4_096
    private static let meaningful: [UInt64] = [
        0, 1, 2, 5, 0x7f, 1 << 31, 1 << 32, (1 << 53) - 1, 1 << 62, (1 << 63) - 1, 1 << 63, .max - 1, .max,
    ]

    private let folder: TemporaryFolder
    private let scoreboard: ScoreboardFile
    private let sessions: SessionTable

    init() throws {
        folder = try TemporaryFolder()
        scoreboard = try ScoreboardFile.open(in: folder.path)
        sessions = try SessionTable.create(in: folder.path)
    }

    /// Overwrites words of a file from a place on, as a process does that has mapped it.
    private func write(_ words: [UInt64], to name: String, at offset: Int) throws {
        let file = try #require(FileHandle(forUpdatingAtPath: "\(folder.path)/\(name)"))
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: words.withUnsafeBytes { Data($0) })
        try file.close()
    }

    private func writeSlot(_ words: [UInt64], _ index: Int) throws {
        try write(words, to: "scoreboard", at: (index + 1) * Self.pageSize)
    }

    /// All children, each with a slot and a process number.
    private func startChildren(_ slots: inout ChildSlots) throws {
        for (place, child) in Child.all(workers: 2).enumerated() {
            let slot = slots.claim(child)
            slots.started(child, slot, pid_t(100_000 + place))
        }
    }

    private func status() throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/status.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test(
        "Two slots that say they have 2⁶⁴-1 in hand, or any other one number everywhere, end nothing",
        arguments: meaningful)
    func oneNumber(word: UInt64) throws {
        var slots = ChildSlots(scoreboard, sessions)
        var page = StatusPage(scoreboard, try .unseen(), directory: folder.path)
        try startChildren(&slots)
        for index in 1...5 { try writeSlot([UInt64](repeating: word, count: 512), index) }
        try page.write(now: 1_000_000_000)
        try page.write(now: 2_000_000_000)
        let processes = try #require(try status()["processes"] as? [[String: Any]])
        let names = processes.compactMap { $0["name"] as? String }
        #expect(names == ["watchdog", "storage", "worker events 0", "worker events 1", "worker bulk 0", "stream"])
        let limits = ServiceLimits(executing: 5, heartbeat: 30, requests: 1, memory: 1)
        for (place, child) in Child.all(workers: 2).enumerated() {
            let pid = pid_t(100_000 + place)
            if let vitals = slots.vitals(of: pid) {
                _ = limits.standstill(vitals, ProcessorWait(), now: 1).map { "\($0)" }
            }
            _ = slots.answered(by: pid)
            slots.pausing(child, .max)
            _ = slots.ended(pid, .killed(SIGABRT)).map { tell in "\(tell)" }
        }
    }

    @Test("Who erases its slot keeps its own place, and the others theirs")
    func erased() throws {
        var slots = ChildSlots(scoreboard, sessions)
        try startChildren(&slots)
        let before = scoreboard.readings().map(\.name)
        try writeSlot([UInt64](repeating: 0, count: 512), 1)
        #expect(scoreboard.readings().map(\.name) == before)
        let next = slots.claim(Child(role: .worker(.events), number: 7))
        #expect(next == before.count, "no process gets a slot that another has")
    }

    @Test("Any words in slots, sessions and suspects are read without a fault, and the files stay readable")
    func anyWords() throws {
        var generator = SplitMix(seed: 4)
        func word() -> UInt64 {
            let place = Int.random(in: 0..<2 * Self.meaningful.count, using: &generator)
            return place < Self.meaningful.count ? Self.meaningful[place] : .random(in: 0 ... .max, using: &generator)
        }
        func words(_ count: Int) -> [UInt64] { (0..<count).map { _ in word() } }
        var slots = ChildSlots(scoreboard, sessions)
        var page = StatusPage(scoreboard, try .unseen(), directory: folder.path)
        for round in 0..<60 {
            try startChildren(&slots)
            for index in 1...5 { try writeSlot(words(512), index) }
            // The header behind what says that it is one, and the suspects.
            try write(words(500), to: "scoreboard", at: 64)
            try write(words(3_072), to: "scoreboard", at: 641 * 4_096)
            try write(words(400), to: "sessions", at: 16)
            try write(words(64), to: "sessions", at: 8 * (512 + 65_536))
            try page.write(now: Int64(round))
            _ = try status()
            #expect(sessions.readings().count <= 65_536)
            _ = sessions.count
            for (place, child) in Child.all(workers: 2).enumerated() {
                slots.pausing(child, Int64(bitPattern: word()))
                _ = slots.ended(pid_t(100_000 + place), .exited(1)).map { "\($0)" }
            }
            #expect(scoreboard.suspects().count <= 256)
            for subject in HealthSubject.allCases {
                _ = scoreboard.recordHealth(subject, isGood: false, duration: .max, wall: .max)
            }
            scoreboard.recordReload(succeeded: true, wall: .max)
        }
    }
}
