import Testing

@testable import StorageChannel

@Suite("Frames that are written in place")
struct FrameBlockTests {
    @Test("They are those that a writer of growing frames writes", arguments: [0, 1, 100_000])
    func writesFrames(reserved: Int) {
        var growing = FrameWriter()
        var writer = FrameBlockWriter()
        writer.reserve(reserved)
        for size in [0, 9, 1_000, 50_000] {
            let content = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            growing.frame(.store) { writer in content.withUnsafeBytes { writer.raw($0) } }
            let isWritten = writer.frame(.store, size: size) { $0.copyBytes(from: content) }
            #expect(isWritten && writer.count == growing.bytes.count)
        }
        let block = writer.finish()
        #expect(withExtendedLifetime(block) { Array(block.bytes) } == growing.bytes)
        #expect(writer.count == 0)
    }

    @Test("A frame for which there is no memory leaves nothing")
    func hasNoMemory() {
        var writer = FrameBlockWriter()
        #expect(writer.frame(.store, size: 3) { $0.copyBytes(from: [1, 2, 3]) })
        #expect(!writer.frame(.store, size: .max / 4) { _ in Issue.record("it has nothing to write to") })
        let block = writer.finish()
        #expect(block.count == 8)
        #expect(withExtendedLifetime(block) { Array(block.bytes) } == [0, 0, 0, 4, FrameKind.store.rawValue, 1, 2, 3])
    }
}
