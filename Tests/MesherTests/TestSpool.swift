import Foundation
import Spool
import StorageChannel
import TestServers
import Testing

@testable import RecordedInputs

/// A spool directory as storage would have left it, and the command line that is pointed at it.
final class TestSpool {
    let path = "/tmp/mesher-spool.\(UInt32.random(in: .min ... .max))"

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// A child that another test has just forked holds a lock that was given up until it executes its program, flock(2).
    func open() throws -> SpoolDirectory {
        let limits = SpoolDirectory.Limits(bytes: 1 << 30, projectBytes: 1 << 30)
        var directory: SpoolDirectory?
        _ = eventually {
            directory = try? SpoolDirectory.open(path, limits: limits)
            return directory != nil
        }
        return try directory ?? SpoolDirectory.open(path, limits: limits)
    }

    /// Writes events into a segment of their own.
    func store(_ records: [[UInt8]]) throws {
        let directory = try open()
        for record in records {
            let refusal = record.withUnsafeBytes { bytes in RecordHead(bytes).map { directory.add($0, bytes) } }
            #expect(refusal == .some(nil))
        }
        try directory.commit(wall: 1_700_000_000_000_000)
    }

    /// Writes the file of keys beside it, as storage does: a key of each project.
    func keepKeys(of projects: [Int64: String]) throws {
        var snapshot = KeySnapshot()
        for (project, key) in projects {
            let number = try #require(UInt128(key, radix: 16))
            snapshot.quotas[KeyID(number)] = ProjectQuota(project: project, events: 1, seconds: 1)
        }
        _ = try open()
        let file = URL(fileURLWithPath: path + "/keys")
        try Data(snapshot.encoded(places: [])).write(to: file)
    }

    /// Sets an event aside.
    func setAside(_ record: [UInt8], sqlState: String) throws {
        let head = try #require(record.withUnsafeBytes { RecordHead($0) })
        try open().setAside([
            QuarantineItem(event: record, head, sqlState: sqlState, reason: "r", wall: 1_700_000_000_000_000)
        ])
    }

    /// The record of an event.
    ///
    /// - Parameter moment: of its receipt, by default 2026-01-02T03:04:05.000006Z.
    static func record(
        project: Int64 = 1, id: UInt128, message: String = "it \"failed\" \\ {now}, é", payload: String = #"{"n":1}"#,
        moment: Int64 = 820_638_245_000_006
    ) -> [UInt8] {
        let numbers = [
            RecordColumn.number(project), RecordColumn.number(id), RecordColumn.number(moment),
            RecordColumn.number(moment), RecordColumn.number(Int32(moment / EventRecord.day)),
        ]
        let texts: [String?] = ["error", message, "swift", nil, "", nil, nil, nil, nil, nil]
        let json = [RecordColumn.text(#"{"a":"b"}"#, prefix: 1), RecordColumn.text(payload)]
        return Array((numbers + texts.map { RecordColumn.text($0) } + json).joined())
    }
}
