import RecordedInputs
import StorageChannel
import Testing

@testable import mesher_storage

struct RecordedFramesTests {
    @Test("What an edge of version 2 says is understood")
    func edges() throws {
        var bytes = RecordedFile.bytes("formats/frames-of-edges-2")[...]
        var reader = FrameReader()
        var messages: [String] = []
        _ = reader.fill { room in
            room.copyBytes(from: bytes)
            defer { bytes = [] }
            return bytes.count
        }
        try reader.forEachFrame { kind, content in
            switch EdgeMessage(kind, content) {
            case .hello(let version): messages.append("hello \(version)")
            case .store(let event): messages.append("store \(event.ticket) \(event.head.project) \(event.head.eventID)")
            case .lookUp(let key): messages.append("look up \(key.value)")
            case .probe(let ticket): messages.append("probe \(ticket)")
            case .redis(let failure, let eviction): messages.append("redis \(failure ?? "-") \(eviction ?? "-")")
            case nil: messages.append("?")
            }
        }
        let expected = ["hello 2", "look up 1", "probe 5", "redis refused -", "redis - allkeys-lru", "store 9 7 2748"]
        #expect(messages == expected)
    }
}
