import Configuration
import Foundation
import Logging
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
        try expect(isReady: false, ["postgresql", "redis", "spool", "backlog", "keys", "eviction", "draining"])
        scoreboard.restart(index, .signal, startAt: 1)
        try expect(isReady: false, [])
    }

    @Test("the status has the rates and latencies of the last minutes, and the latest lines of the log")
    func recent() throws {
        let lines = RecentLines()
        lines.note(.error, "mesher-watchdog", "quoted \"so\"\n", wall: 2_500_000)
        var page = StatusPage(scoreboard, try .unseen(), directory: folder.path, lines: lines)
        let index = try slot("worker events 0")
        let slot = try #require(try ProcessSlot.open(index, of: ScoreboardFile.path(in: folder.path)))
        try page.write(now: 0)
        let empty = try #require(try status()["recent"] as? [String: Any])
        #expect((empty["p50"] as? [Any])?.isEmpty == true && empty["delivered_per_second"] is NSNull)
        #expect((try status()["latency"] as? [String: Any])?["p99"] is NSNull)
        for _ in 0..<10 { slot.countRequest(.events, status: 202, duration: 4_000_000) }
        slot.countEvents(20, outcome: OutcomeLabels.accepted)
        slot.countEvents(5, outcome: OutcomeLabels.discarded(OutcomeLabels.reasons.firstIndex(of: "rate_limited") ?? 0))
        try page.write(now: 5_000_000_000)
        let recent = try #require(try status()["recent"] as? [String: Any])
        let rates = try #require(recent["rates"] as? [String: [Double]])
        #expect(rates == ["accepted": [4], "rate_limited": [1], "unavailable": [0], "discarded": [0]])
        #expect(recent["p50"] as? [Double] == [0.00375])
        let minute = try #require(recent["last_minute"] as? [String: Any])
        #expect(minute["accepted"] as? Int == 20 && minute["discarded"] as? [String: Int] == ["rate_limited": 5])
        let latency = try #require(try status()["latency"] as? [String: Any])
        #expect(latency["requests"] as? Int == 10 && latency["p50"] as? Double == 0.00375)
        let line = try #require((try status()["log"] as? [[String: Any]])?.first)
        #expect(line["level"] as? String == "error" && line["text"] as? String == "quoted \"so\"\n")
        #expect(line["at"] as? Double == 2.5 && line["count"] as? Int == 1)
    }

    @Test("the last maintenance of this host is shown, and the limit of what WebSocket peers have sessions hold")
    func upkeep() throws {
        var page = StatusPage(scoreboard, try .unseen(), directory: folder.path)
        try page.write(now: 0)
        #expect(try status()["last_maintenance"] is NSNull)
        #expect(try !text("metrics").contains("mesher_last_maintenance"))
        try MaintenanceRecord(at: 77, .partial).write(in: folder.path)
        let index = try #require(scoreboard.claim(.stream, name: "stream")?.slot)
        scoreboard.started(index, pid: getpid(), wall: 1_000_000)
        let slot = try #require(try ProcessSlot.open(index, of: ScoreboardFile.path(in: folder.path)))
        slot.setSessionMemory(limit: 4_096)
        slot.setKeysSaved(wall: 9_000_000)
        try page.write(now: 1)
        let maintenance = try #require(try status()["last_maintenance"] as? [String: Any])
        #expect(maintenance["at"] as? Int == 77 && maintenance["result"] as? String == "partial")
        let metrics = try text("metrics")
        #expect(metrics.contains("\nmesher_last_maintenance_timestamp_seconds 77\n"))
        #expect(metrics.contains("mesher_last_maintenance_result{result=\"partial\"} 1"))
        #expect(metrics.contains("mesher_last_maintenance_result{result=\"complete\"} 0"))
        #expect(metrics.contains("\nmesher_stream_memory_limit_bytes 4096\n"))
        #expect(metrics.contains("\nmesher_keys_saved_timestamp_seconds 9.000000\n"))
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
