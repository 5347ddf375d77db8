import Configuration
import Foundation
import Testing

@testable import Scoreboard
@testable import mesher_watchdog

/// docs/metrics.md has what the watchdog writes.
struct MetricsTableTests {
    /// Names of roles, functions and the like, which are no metrics.
    private static let others: Set = [
        "mesher_storage", "mesher_owner", "mesher_runtime", "mesher_notify", "mesher_make_partitions", "mesher_keys",
        "mesher_rate",
    ]

    private struct Family {
        let name: String
        let help: String
        var type = ""
        var labels: [String] = []
    }

    /// A page on which every metric stands, also those that are absent while there is nothing to say.
    private func page() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let scoreboard = try ScoreboardFile.open(in: folder.path)
        let index = try #require(scoreboard.claim(.storage, name: "storage")?.slot)
        scoreboard.started(index, pid: getpid(), wall: 1)
        let slot = try #require(try ProcessSlot.open(index, of: ScoreboardFile.path(in: folder.path)))
        slot.countRequest(.events, status: 202, duration: 1)
        slot.countCommit(events: 1, duration: 1, wall: 1)
        slot.setLastPartition(day: 1)
        slot.setClockDifference(1)
        slot.setSpool(events: 1, bytes: 1, limit: 1, oldest: 1, quarantined: 1)
        slot.setSpoolDisk(bytes: 1, files: 1, fault: ENOSPC)
        slot.setKeysSaved(wall: 1)
        try MaintenanceRecord(at: 1, .complete).write(in: folder.path)
        let stream = try #require(scoreboard.claim(.stream, name: "stream")?.slot)
        scoreboard.started(stream, pid: getpid(), wall: 1)
        try ProcessSlot.open(stream, of: ScoreboardFile.path(in: folder.path))?.setSessionMemory(limit: 1)
        slot.setReadiness(accepts: true, degradation: 0)
        slot.set(.postgresql, isUp: true)
        _ = scoreboard.recordHealth(.events, isGood: true, duration: 1, wall: 1)
        scoreboard.recordReload(succeeded: true, wall: 1)
        var page = StatusPage(scoreboard, try .unseen(), directory: folder.path)
        try page.write(now: 0)
        return try String(contentsOf: folder.appendingPathComponent("metrics"), encoding: .utf8)
    }

    private func families() throws -> [Family] {
        var families: [Family] = []
        for line in try page().split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP") {
                families.append(Family(name: words[2], help: words[3]))
            } else if line.hasPrefix("# TYPE") {
                families[families.count - 1].type = words[3]
            } else if families[families.count - 1].labels.isEmpty {
                families[families.count - 1].labels = line.matches(of: /(\w+)="/).map { String($0.output.1) }
            }
        }
        return families
    }

    @Test("The table is that of the page; make docs writes it")
    func table() throws {
        let rows = try families().map { family in
            let labels = family.labels.filter { $0 != "le" }.map { "`\($0)`" }.joined(separator: ", ")
            return "| `\(family.name)` | \(family.type) | \(labels) | \(family.help) |\n"
        }
        let head = "| metric | type | labels | what it is |\n|---|---|---|---|\n"
        #expect(try Document("docs/metrics.md").hasGenerated(head + rows.joined()))
    }

    @Test("The page of this test has every metric of the sources, and no document names another")
    func names() throws {
        let known = Set(try families().map(\.name))
        let folder = "Sources/mesher-watchdog/Report/"
        let sources = try FileManager.default.contentsOfDirectory(atPath: Document.root + "/" + folder)
            .filter { $0.hasPrefix("Metrics") }.map { try Document(folder + $0) }
        #expect(sources.reduce(into: Set()) { $0.formUnion($1.matches(/mesher_[a-z_]+[a-z]/)) } == known)
        #expect(known.count > 30)
        let parts = known.flatMap { name in ["_bucket", "_sum", "_count"].map { name + $0 } }
        for document in try Document.all() + [Document("prometheus/mesher.rules.yml"), Document("grafana/mesher.json")]
        {
            let named = document.matches(/mesher_[a-z_]+[a-z]/).subtracting(Self.others)
            #expect(named.subtracting(known).subtracting(parts) == [], "\(document.name)")
        }
    }
}
