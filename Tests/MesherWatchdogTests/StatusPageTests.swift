import Foundation
import StorageChannel
import Testing

@testable import Scoreboard
@testable import mesher_watchdog

struct StatusPageTests {
    private let folder: TemporaryFolder
    private let scoreboard: ScoreboardFile

    init() throws {
        folder = try TemporaryFolder()
        scoreboard = try ScoreboardFile.open(in: folder.path)
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
    }

    private func status() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text("status.json").utf8)) as? [String: Any])
    }

    private func slot(_ name: String) throws -> Int {
        let slot = try #require(scoreboard.claim(.worker, name: name)?.slot)
        scoreboard.started(slot, pid: getpid(), wall: 1_000_000)
        return slot
    }

    @Test("both files are written, list the watchdog itself, and are gone when they are removed")
    func writesAndRemoves() throws {
        var page = StatusPage(scoreboard, try .unseen(), directory: folder.path)
        try page.write(now: 5)
        #expect(page.due == 5 + StatusPage.interval)
        let processes = try #require(try status()["processes"] as? [[String: Any]])
        #expect(processes.count == 1)
        #expect(processes[0]["role"] as? String == "watchdog" && processes[0]["pid"] as? Int == Int(getpid()))
        #expect(processes[0]["memory_bytes"] as? Int ?? 0 > 100_000)
        #expect(try text("metrics").contains("mesher_build_info{version="))
        page.remove()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["scoreboard"])
    }

    @Test("a process that waits is listed with the moment of its start, and one that ended is counted but not listed")
    func waitingAndEnded() throws {
        var page = StatusPage(scoreboard, try .unseen(), directory: folder.path)
        let waiting = try slot("worker events 0")
        scoreboard.restart(waiting, .exit, startAt: 9_500_000)
        let ended = try slot("worker events 1")
        scoreboard.end(ended)
        try page.write(now: 0)
        let processes = try #require(try status()["processes"] as? [[String: Any]])
        #expect(processes.compactMap { $0["name"] as? String } == ["watchdog", "worker events 0"])
        #expect(processes[1]["state"] as? String == "waiting" && processes[1]["starts_at"] as? Double == 9.5)
        #expect(processes[1]["pid"] is NSNull && processes[1]["restarts"] as? Int == 1)
        let metrics = try text("metrics")
        #expect(metrics.contains(#"mesher_children{role="worker",state="waiting"} 1"#))
        #expect(metrics.contains(#"mesher_child_restarts_total{role="worker",cause="exit"} 1"#))
    }

    @Test("requests a second are those since the last writing")
    func rate() throws {
        var page = StatusPage(scoreboard, try .unseen(), directory: folder.path)
        let index = try slot("worker events 0")
        let slot = try #require(try ProcessSlot.open(index, of: ScoreboardFile.path(in: folder.path)))
        slot.countRequest(.events, status: 202, duration: 1)
        try page.write(now: 0)
        for _ in 0..<30 { slot.countRequest(.events, status: 202, duration: 1) }
        try page.write(now: 2_000_000_000)
        let processes = try #require(try status()["processes"] as? [[String: Any]])
        #expect(processes[1]["requests_per_second"] as? Double == 15)
    }

    @Test("what storage keeps on disk is shown while it runs, what it has counted also afterwards")
    func spool() throws {
        var page = StatusPage(scoreboard, try .unseen(), directory: folder.path)
        let index = try #require(scoreboard.claim(.storage, name: "storage")?.slot)
        scoreboard.started(index, pid: getpid(), wall: 1_000_000)
        let slot = try #require(try ProcessSlot.open(index, of: ScoreboardFile.path(in: folder.path)))
        slot.setSpool(events: 3, bytes: 400, limit: 1_000, oldest: 2_500_000, quarantined: 1)
        slot.setSpoolDisk(bytes: 0, files: 7, fault: ENOSPC)
        slot.countSpooled(5)
        slot.countDelivered(2)
        slot.countQuarantined(1)
        // Until it has looked, a spool of nothing would be shown.
        try page.write(now: 0)
        #expect(try status()["storage"].map { ($0 as? [String: Any])?["spool"] is NSNull } == true)
        slot.setReadiness(accepts: true, degradation: 0)
        try page.write(now: 0)
        let storage = try #require(try status()["storage"] as? [String: Any])
        let spool = try #require(storage["spool"] as? [String: Any])
        #expect(spool["events"] as? Int == 3 && spool["bytes"] as? Int == 400 && spool["limit_bytes"] as? Int == 1_000)
        #expect(spool["oldest_received_at"] as? Double == 2.5 && spool["quarantine"] as? Int == 1)
        let metrics = try text("metrics")
        #expect(metrics.contains("\nmesher_spool_events 3\n") && metrics.contains("\nmesher_quarantine_items 1\n"))
        #expect(metrics.contains("\nmesher_spool_oldest_timestamp_seconds 2.500000\n"))
        #expect(spool["available_bytes"] as? Int == 0 && spool["available_inodes"] as? Int == 7)
        #expect(spool["fault"] as? String == "No space left on device")
        #expect(metrics.contains("\nmesher_spool_available_bytes 0\n") && metrics.contains("_inodes 7\n"))
        #expect(metrics.contains("mesher_spool_fault{reason=\"No space left on device\"} 1"))
        slot.setSpoolDisk(bytes: nil, files: nil, fault: 0)
        try page.write(now: 1)
        #expect(try !text("metrics").contains("mesher_spool_available"))
        #expect(try !text("metrics").contains("mesher_spool_fault"))
        scoreboard.end(index)
        try page.write(now: 2)
        #expect(try text("metrics").contains("\nmesher_spooled_events_total 5\n"))
        #expect(try !text("metrics").contains("mesher_spool_events"))
    }

    @Test("an event can be stored when it reaches a worker and storage says so; nobody is ready while it says nothing")
    func readiness() throws {
        var page = StatusPage(scoreboard, try .unseen(), directory: folder.path)
        let socket = folder.path + "/events.sock"
        #expect(FileManager.default.createFile(atPath: socket, contents: nil))
        let index = try #require(scoreboard.claim(.storage, name: "storage")?.slot)
        scoreboard.started(index, pid: getpid(), wall: 1_000_000)
        let slot = try #require(try ProcessSlot.open(index, of: ScoreboardFile.path(in: folder.path)))
        func expect(isReady: Bool, _ degraded: [String]) throws {
            try page.write(now: 0)
            let storage = try #require(try status()["storage"] as? [String: Any])
            #expect(storage["ready"] as? Bool == isReady && storage["degraded"] as? [String] == degraded)
            let metrics = try text("metrics")
            #expect(metrics.contains("\nmesher_ready \(isReady ? 1 : 0)\n"))
            for name in degraded { #expect(metrics.contains("\nmesher_degraded{what=\"\(name)\"} 1\n")) }
            #expect(
                metrics.split(separator: "\n").count { $0.hasPrefix("mesher_degraded") && $0.hasSuffix("1") }
                    == degraded.count)
        }
        try expect(isReady: false, [])
        slot.setReadiness(accepts: true, degradation: UInt64(Degradation.backlog.rawValue))
        try expect(isReady: true, ["backlog"])
        unlink(socket)
        try expect(isReady: false, ["backlog"])
        #expect(FileManager.default.createFile(atPath: socket, contents: nil))
        for isReady in [true, true, false] {
            _ = scoreboard.recordHealth(.events, isGood: false, duration: 1, wall: 1)
            try expect(isReady: isReady, ["backlog"])
        }
        scoreboard.forgetHealth()
        try expect(isReady: true, ["backlog"])
        slot.setReadiness(accepts: false, degradation: 1 | 16)
        try expect(isReady: false, ["postgresql", "keys"])
        slot.setReadiness(accepts: false, degradation: .max)
        try expect(isReady: false, ["postgresql", "redis", "spool", "backlog", "keys", "eviction"])
        scoreboard.restart(index, .signal, startAt: 1)
        try expect(isReady: false, [])
    }

    @Test("a file that cannot be written is named, and the next writing is due all the same")
    func unwritable() throws {
        var page = StatusPage(scoreboard, try .unseen(), directory: folder.path + "/absent")
        #expect(throws: (any Error).self) { try page.write(now: 7) }
        #expect(page.due == 7 + StatusPage.interval)
    }

    @Test("the memory of a process that is not there is not known")
    func memory() {
        #expect(StatusPage.residentMemory(of: getpid()) ?? 0 > 100_000)
        #expect(StatusPage.residentMemory(of: 0) == nil)
        #expect(StatusPage.residentMemory(of: .max) == nil)
    }
}
