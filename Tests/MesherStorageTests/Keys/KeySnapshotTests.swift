import Spool
import StorageChannel
import Testing

@testable import mesher_storage

@Suite struct KeySnapshotTests {
    private let snapshot = KeySnapshot(
        quotas: [
            KeyID(1): ProjectQuota(project: 1, events: 1_000, seconds: 60),
            KeyID(2): ProjectQuota(
                project: 2, events: 1, seconds: 1,
                origins: AllowedOrigins("https://a.example https://*.b.example".utf8),
                scrub: ScrubRules("default ip".utf8)),
            KeyID(.max): ProjectQuota(project: .max, events: .max, seconds: .max),
        ],
        endings: [KeyID(2): 1_700_000_000_000_000], revoked: [KeyID(3), KeyID(4)])

    private func read(_ bytes: [UInt8], places: [String] = ["b", "c"]) throws -> KeySnapshot {
        try bytes.withUnsafeBytes { bytes in try KeySnapshot(decoding: bytes, places: places) }
    }

    private func fault(_ bytes: [UInt8], places: [String] = ["b", "c"]) -> KeySnapshot.Fault? {
        do { _ = try read(bytes, places: places) } catch { return error as? KeySnapshot.Fault }
        return nil
    }

    @Test("what was written is read again, also when there is no key")
    func roundTrip() throws {
        #expect(try read(snapshot.encoded(places: ["a", "b"])) == snapshot)
        #expect(try read(KeySnapshot().encoded(places: ["a", "b"])) == KeySnapshot())
    }

    @Test("a change of any byte is noticed")
    func flipped() {
        let bytes = snapshot.encoded(places: ["a", "b"])
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
        let bytes = snapshot.encoded(places: ["a", "b"])
        for length in 8..<bytes.count { #expect(fault(Array(bytes[..<length])) == .damaged, "\(length) bytes") }
        #expect(fault(bytes + [0]) == .damaged)
        #expect(fault(Array(bytes[..<7])) == .foreign)
    }

    @Test("another file, another version and another database are told apart")
    func foreign() {
        let bytes = snapshot.encoded(places: ["a", "b"])
        #expect(fault(Array("no snapshot at all, but text".utf8)) == .foreign)
        #expect(fault(bytes, places: ["c", "ab"]) == .database)
        #expect(fault(bytes, places: []) == .database)
        var later = bytes
        later[11] = 5
        #expect(fault(later) == .version(5))
    }

    @Test("what the second release before has written is read, by the list of all servers")
    func former() throws {
        // No key in force, and the revoked 0a0a…; of the servers "a".
        let header: [UInt8] = [0, 0, 0, 2, 0xaf, 0x63, 0xdc, 0x4c, 0x86, 0x01, 0xec, 0x8c, 0, 0, 0, 0, 0, 0, 0, 1]
        let checksum: [UInt8] = [0x44, 0xc8, 0x5a, 0x67, 0xf7, 0xe8, 0x39, 0xed]
        let bytes = Array("MSHRKEYS".utf8) + header + [UInt8](repeating: 10, count: 16) + checksum
        #expect(try read(bytes, places: ["a"]).revoked == [KeyID(0x0a0a_0a0a_0a0a_0a0a_0a0a_0a0a_0a0a_0a0a)])
        #expect(fault(bytes, places: ["b"]) == .database)
    }
}
