import Spool
import StorageChannel
import Testing

@testable import mesher_storage

@Suite struct KeySnapshotTests {
    private let snapshot = KeySnapshot(
        quotas: [
            KeyID(1): ProjectQuota(project: 1, events: 1_000, seconds: 60),
            KeyID(2): ProjectQuota(
                project: 2, events: 1, seconds: 1, origins: AllowedOrigins("https://a.example https://*.b.example".utf8)
            ),
            KeyID(.max): ProjectQuota(project: .max, events: .max, seconds: .max),
        ],
        revoked: [KeyID(3), KeyID(4)])

    private func read(_ bytes: [UInt8], database: String = "db") throws -> KeySnapshot {
        try bytes.withUnsafeBytes { bytes in try KeySnapshot(decoding: bytes, database: database) }
    }

    private func fault(_ bytes: [UInt8], database: String = "db") -> KeySnapshot.Fault? {
        do { _ = try read(bytes, database: database) } catch { return error as? KeySnapshot.Fault }
        return nil
    }

    @Test("what was written is read again, also when there is no key")
    func roundTrip() throws {
        #expect(try read(snapshot.encoded(database: "db")) == snapshot)
        #expect(try read(KeySnapshot().encoded(database: "db")) == KeySnapshot())
    }

    @Test("a change of any byte is noticed")
    func flipped() {
        let bytes = snapshot.encoded(database: "db")
        for position in bytes.indices {
            for change in [UInt8(1), 0x80, 0xff] {
                var changed = bytes
                changed[position] ^= change
                #expect(fault(changed) != nil, "byte \(position)")
            }
        }
    }

    @Test("a snapshot that is cut off anywhere, or has more behind it, is damaged")
    func cut() {
        let bytes = snapshot.encoded(database: "db")
        for length in 8..<bytes.count { #expect(fault(Array(bytes[..<length])) == .damaged, "\(length) bytes") }
        #expect(fault(bytes + [0]) == .damaged)
        #expect(fault(Array(bytes[..<7])) == .foreign)
    }

    @Test("counts that name more than there is are no reason to read on")
    func hugeCounts() {
        var bytes = snapshot.encoded(database: "db")
        for position in 20..<28 { bytes[position] = 0xff }
        #expect(fault(bytes) == .damaged)
    }

    @Test("another file, another version and another database are told apart")
    func foreign() {
        let bytes = snapshot.encoded(database: "db")
        #expect(fault(Array("no snapshot at all, but text".utf8)) == .foreign)
        #expect(fault(bytes, database: "other") == .database)
        var later = bytes
        later[11] = 3
        #expect(fault(later) == .version(3))
    }
}
