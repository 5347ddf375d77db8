import StorageChannel
import Testing

@testable import mesher_storage

@Suite struct EdgeMessageTests {
    private func isAccepted(_ kind: FrameKind, _ content: [UInt8]) -> Bool {
        content.withUnsafeBytes { EdgeMessage(kind, $0) != nil }
    }

    @Test("each kind that an edge sends is read")
    func kinds() {
        #expect(isAccepted(.hello, [0, 1]))
        #expect(isAccepted(.store, TestEvent().content()))
        #expect(isAccepted(.lookUpKey, Array(repeating: 1, count: 16)))
        #expect(isAccepted(.probe, Array(repeating: 0, count: 8)))
        #expect(isAccepted(.redis, [1]))
        #expect(isAccepted(.redis, [0] + Array(repeating: 0xff, count: 200)))
    }

    @Test("a content that is shorter or longer than its kind's is refused")
    func lengths() {
        #expect(!isAccepted(.hello, [0]))
        #expect(!isAccepted(.hello, [0, 1, 2]))
        #expect(!isAccepted(.lookUpKey, Array(repeating: 1, count: 15)))
        #expect(!isAccepted(.lookUpKey, Array(repeating: 1, count: 17)))
        #expect(!isAccepted(.probe, []))
        #expect(!isAccepted(.redis, []))
        #expect(!isAccepted(.redis, Array(repeating: 0, count: 202)))
    }

    @Test("what only storage sends is refused", arguments: [FrameKind.stored, .key, .readiness])
    func direction(kind: FrameKind) {
        #expect(!isAccepted(kind, Array(repeating: 0, count: 13)))
    }
}
