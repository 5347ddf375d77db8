import Foundation
import StorageChannel
import System
import Testing

@testable import Spool

@Suite struct QuarantineTests {
    private let folder: TestFolder
    private let head: RecordHead

    init() throws {
        folder = try TestFolder()
        head = try #require(TestRecord(project: 7, eventID: 0xabc).bytes.withUnsafeBytes { RecordHead($0) })
    }

    @Test("a file holds a line of JSON and the bytes")
    func file() throws {
        var quarantine = try Quarantine.open(folder.path + "/quarantine")
        try quarantine.add([
            QuarantineItem(
                event: [1, 10, 0], head, sqlState: "22P02", reason: "it \"may\" not", wall: 1_700_000_000_123_456),
            QuarantineItem(damaged: [9], segment: 4, offset: 32, wall: 0),
        ])
        let entries = quarantine.entries
        #expect(entries.map(\.name) == ["1-7.event", "2-0.damaged"])
        let content = try #require(FileManager.default.contents(atPath: folder.path + "/quarantine/1-7.event"))
        let parts = content.split(separator: 10, maxSplits: 1)
        let line = try #require(try JSONSerialization.jsonObject(with: parts[0]) as? [String: Any])
        #expect(line["event"] as? String == "00000000000000000000000000000abc")
        #expect(
            line["project"] as? Int == 7 && line["sqlstate"] as? String == "22P02" && line["kind"] as? String == "event"
        )
        #expect(line["set_aside_at"] as? Double == 1_700_000_000.123)
        #expect(Array(parts[1]) == [1, 10, 0])
        #expect(try Quarantine.list(folder.path + "/quarantine") == entries)
    }

    @Test("it notices what the operator took away, and gives no number twice while it runs")
    func removal() throws {
        var quarantine = try Quarantine.open(folder.path + "/quarantine")
        let item = QuarantineItem(event: [1], head, sqlState: nil, reason: "it \"may\" not", wall: 0)
        try quarantine.add([item, item])
        unlink(folder.path + "/quarantine/2-7.event")
        try quarantine.refresh()
        let left = quarantine.entries
        #expect(left.map(\.number) == [1])
        try quarantine.add([item])
        let all = quarantine.entries
        #expect(all.map(\.number) == [1, 3])
    }

    @Test("half of a file, left by a death, is removed; names of others are left alone")
    func leftovers() throws {
        let path = folder.path + "/quarantine"
        _ = try Quarantine.open(path)
        for name in ["5-7.event.new", "notes.txt", "6-7.event"] {
            _ = FileManager.default.createFile(atPath: "\(path)/\(name)", contents: Data([1]))
        }
        let quarantine = try Quarantine.open(path)
        let entries = quarantine.entries
        #expect(entries.map(\.number) == [6])
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == ["6-7.event", "notes.txt"])
    }
}
