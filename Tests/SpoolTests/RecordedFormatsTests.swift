import RecordedInputs
import StorageChannel
import Testing

@testable import Spool

/// What a version of a format is does not change: a file that it has left is read, and what is written today under its number is
/// the same.
struct RecordedFormatsTests {
    private static let origins = AllowedOrigins("https://a.example https://*.b.example".utf8)
    private static let keys = KeySnapshot(
        quotas: [
            KeyID(1): ProjectQuota(project: 7, events: 1_000, seconds: 60),
            KeyID(2): ProjectQuota(project: 8, events: 1, seconds: 1, origins: origins),
        ], revoked: [KeyID(3)])

    @Test("A snapshot of keys of version 2 is read")
    func keys() throws {
        let bytes = RecordedFile.bytes("formats/keys-2")
        #expect(try bytes.withUnsafeBytes { bytes in try KeySnapshot(decoding: bytes, places: nil) } == Self.keys)
    }

    @Test("A snapshot of keys of version 3 is read, and is what is written while no key ends; with one it is version 4")
    func currentKeys() throws {
        #expect(KeySnapshot.version == 4, "record a file of the new version, and keep these")
        let endings: [KeyID: Int64] = [KeyID(2): 1_800_000_000_000_000]
        for (number, endings) in [(3, [:]), (4, endings)] {
            let keys = KeySnapshot(quotas: Self.keys.quotas, endings: endings, revoked: Self.keys.revoked)
            let bytes = RecordedFile.bytes("formats/keys-\(number)")
            #expect(
                try bytes.withUnsafeBytes { bytes in try KeySnapshot(decoding: bytes, places: ["b.example/mesher"]) }
                    == keys)
            var encoder = KeySnapshotEncoder(
                places: ["a.example/mesher", "b.example/mesher"], hasEndings: !endings.isEmpty)
            for key in keys.quotas.keys.sorted(by: { $0.value < $1.value }) {
                encoder.append(key, keys.quotas[key], until: endings[key])
            }
            encoder.append(KeyID(3), nil)
            #expect(encoder.finish() == bytes)
        }
    }

    @Test("Frames of version 2 are what is written today")
    func frames() throws {
        let segment = RecordedFile.bytes("formats/segment-1")
        let header = segment.withUnsafeBytes {
            SegmentFormat.readRecordHeader($0, at: SegmentFormat.headerSize, marker: nil)
        }
        let start = SegmentFormat.headerSize + SegmentFormat.recordHeaderSize
        let record = segment[start..<start + (try #require(header?.length))]
        #expect(Frame.version == 2, "record those of the new version, and keep these as what an older release sends")
        var edge = FrameWriter()
        edge.hello()
        edge.lookUp(KeyID(1))
        edge.probe(5)
        edge.redis(failure: "refused")
        edge.redis(failure: nil, eviction: "allkeys-lru")
        edge.frame(.store) {
            $0.integer(UInt64(9))
            $0.integer(StoreFlags.counted.rawValue)
            $0.append(Array(record))
        }
        #expect(edge.bytes == RecordedFile.bytes("formats/frames-of-edges-2"))
        var storage = FrameWriter()
        storage.hello()
        storage.key(KeyID(2), .known, Self.keys.quotas[KeyID(2)])
        storage.key(KeyID(4), .unknown, nil)
        storage.frame(.stored) {
            $0.stored(9, .durable, retryAfter: 0)
            $0.stored(10, .rateLimited, retryAfter: 42)
        }
        storage.readiness(5, accepts: true, [.postgresql, .redis])
        #expect(storage.bytes == RecordedFile.bytes("formats/frames-of-storage-2"))
    }
}
