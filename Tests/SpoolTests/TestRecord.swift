import Foundation
import RecordedInputs
import System
import Testing

@testable import Spool
@testable import StorageChannel

/// An event as it stands in the spool.
struct TestRecord {
    var project: Int64 = 1
    var eventID: UInt128 = 7
    var receivedAt: Int64 = 820_627_200_000_000
    var message = "it failed"
    /// As many as a release knows.
    var columns = EventRecord.Column.allCases.count

    var bytes: [UInt8] {
        let numbers = [
            RecordColumn.number(project), RecordColumn.number(eventID), RecordColumn.number(receivedAt),
            RecordColumn.number(receivedAt), RecordColumn.number(Int32(receivedAt / EventRecord.day)),
        ]
        let texts = ["error", message].map { RecordColumn.text($0) }
        let absent = Array(repeating: RecordColumn.null, count: 9)
        let later = Array(repeating: RecordColumn.null, count: columns - EventRecord.firstColumns)
        return Array((numbers + texts + absent + [RecordColumn.text("{}")] + later).joined())
    }
}

/// A directory of its own, removed when this is lost.
final class TestFolder {
    let path = "/tmp/mesher-spool.\(UInt32.random(in: .min ... .max))"

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var spool: String { path + "/spool" }

    /// The files of segments, by name.
    var segments: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: spool)) ?? []).filter { $0.hasSuffix(".segment") }
            .sorted()
    }

    func read(_ name: String) -> [UInt8] {
        Array(FileManager.default.contents(atPath: "\(spool)/\(name)") ?? Data())
    }

    func write(_ bytes: [UInt8], to name: String) {
        _ = FileManager.default.createFile(atPath: "\(spool)/\(name)", contents: Data(bytes))
    }
}

extension SpoolDirectory.Limits {
    static let ample = SpoolDirectory.Limits(bytes: 1 << 30, projectBytes: 1 << 30)
}

/// A spool as tests use it.
final class TestSpool {
    private let directory: SpoolDirectory

    init(_ folder: TestFolder, limits: SpoolDirectory.Limits = .ample) throws {
        directory = try SpoolDirectory.open(folder.spool, limits: limits)
    }

    var index: SpoolIndex { directory.index }
    var size: Int { directory.size }
    var percentage: Int { directory.percentage }

    func add(_ record: TestRecord) -> SpoolDirectory.Refusal? {
        record.bytes.withUnsafeBytes { bytes in
            guard let head = RecordHead(bytes) else { return .full }
            return directory.add(head, bytes)
        }
    }

    func commit() throws { try directory.commit(wall: 1) }

    /// Puts records into the spool with one commit.
    func store(_ records: [TestRecord]) throws {
        for record in records { #expect(add(record) == nil) }
        try commit()
    }

    func oldest(events: Int) -> SpooledPiece? { directory.oldest(events: events) }
    func delivered(_ piece: SpooledPiece) { directory.delivered(piece) }
    func setAside(_ items: [QuarantineItem]) throws { try directory.setAside(items) }
    func takeFindings() -> [String] { directory.takeFindings().map(\.description) }

    func count() {
        while !directory.index.isCounted { directory.survey() }
    }

    /// Delivers all there is, and returns the records and the damaged bytes.
    func drain(events: Int = 3) -> (records: [[UInt8]], damages: [[UInt8]], torn: Int) {
        var result: (records: [[UInt8]], damages: [[UInt8]], torn: Int) = ([], [], 0)
        count()
        while let piece = directory.oldest(events: events) {
            result.records += piece.content.records.map { Array(piece.content.bytes[$0]) }
            result.damages += piece.content.damages.map { Array(piece.content.bytes[$0]) }
            result.torn += piece.content.tornBytes
            directory.delivered(piece)
        }
        return result
    }
}
