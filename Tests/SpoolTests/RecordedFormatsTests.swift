import RecordedInputs
import StorageChannel
import Testing

@testable import Spool

/// What a version of a format is does not change: a file that it has left is read, and what is written today under its number is
/// the same.
struct RecordedFormatsTests {
    private static let origins = AllowedOrigins("https://a.example https://*.b.example".utf8)

    private static func keys(_ scrub: ScrubRules) -> KeySnapshot {
        KeySnapshot(
            quotas: [
                KeyID(1): ProjectQuota(project: 7, events: 1_000, seconds: 60),
                KeyID(2): ProjectQuota(project: 8, events: 1, seconds: 1, origins: origins, scrub: scrub),
            ], revoked: [KeyID(3)])
    }

    /// What version 4 knows besides.
    private static let rules = ScrubRules("default email".utf8)
    private static let endings: [KeyID: Int64] = [KeyID(2): 1_800_000_000_000_000]

    @Test("A snapshot of keys of any version is read, and version 4 is what is written today", arguments: [2, 3, 4])
    func keys(version: Int) throws {
        let bytes = RecordedFile.bytes("formats/keys-\(version)")
        var keys = Self.keys(version < 4 ? .off : Self.rules)
        if version >= 4 { keys.endings = Self.endings }
        let places = version > 2 ? ["b.example/mesher"] : nil
        #expect(try bytes.withUnsafeBytes { bytes in try KeySnapshot(decoding: bytes, places: places) } == keys)
        guard version == 4 else { return }
        #expect(KeySnapshot.version == 4, "record a file of the new version, and keep this one")
        var encoder = KeySnapshotEncoder(places: ["a.example/mesher", "b.example/mesher"])
        for key in keys.quotas.keys.sorted(by: { $0.value < $1.value }) {
            encoder.append(key, keys.quotas[key], until: keys.endings[key])
        }
        encoder.append(KeyID(3), nil)
        #expect(encoder.finish() == bytes)
    }

    @Test("Frames of any version are what is written today to who speaks it", arguments: [2, 3] as [UInt16])
    func frames(version: UInt16) throws {
        let segment = RecordedFile.bytes("formats/segment-1")
        let header = segment.withUnsafeBytes {
            SegmentFormat.readRecordHeader($0, at: SegmentFormat.headerSize, marker: nil)
        }
        let start = SegmentFormat.headerSize + SegmentFormat.recordHeaderSize
        let record = segment[start..<start + (try #require(header?.length))]
        #expect(Frame.version == 3, "record those of the new version, and keep these as what an older release sends")
        func hello(_ writer: inout FrameWriter) {
            if version == Frame.version { writer.hello() } else { writer.frame(.hello) { $0.integer(version) } }
        }
        var edge = FrameWriter()
        hello(&edge)
        edge.lookUp(KeyID(1))
        edge.probe(5)
        edge.redis(failure: "refused")
        edge.redis(failure: nil, eviction: "allkeys-lru")
        edge.frame(.store) {
            $0.integer(UInt64(9))
            $0.integer(StoreFlags.counted.rawValue)
            $0.append(Array(record))
        }
        #expect(edge.bytes == RecordedFile.bytes("formats/frames-of-edges-\(version)"))
        var storage = FrameWriter()
        hello(&storage)
        storage.key(KeyID(2), .known, Self.keys(Self.rules).quotas[KeyID(2)], version: version)
        storage.key(KeyID(4), .unknown, nil, version: version)
        storage.frame(.stored) {
            $0.stored(9, .durable, retryAfter: 0)
            $0.stored(10, .rateLimited, retryAfter: 42)
        }
        storage.readiness(5, accepts: true, [.postgresql, .redis])
        #expect(storage.bytes == RecordedFile.bytes("formats/frames-of-storage-\(version)"))
    }
}
