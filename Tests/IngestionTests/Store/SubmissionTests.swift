import StorageChannel
import Testing

@testable import Ingestion

@Suite("A request's stages")
struct SubmissionTests {
    private static let head = AcceptedHead(route: .bulk, key: nil, requestID: 1, receivedAt: 0)

    private static func body(_ count: Int) -> Body { Body(count: count) }

    private static func frames(_ size: Int) -> FrameBlock {
        var writer = FrameBlockWriter()
        _ = writer.frame(.store, size: size) { $0.initializeMemory(as: UInt8.self, repeating: 0) }
        return writer.finish()
    }

    private func submission(_ stage: consuming Submission.Stage) -> Submission {
        Submission(token: 1, serial: 1, head: Self.head, stage, deadline: 0)
    }

    @Test("Its bytes are those that its stage holds, also while they are handled, and none once it is answered")
    func countsBytes() {
        let submission = submission(.identifying(Self.body(10)))
        #expect(submission.bytes == 10 && submission.eventCount == 0)
        let body = submission.takeBody()
        #expect(submission.bytes == 10 && body.count == 10 && submission.takeBody().count == 0)
        #expect(submission.enter(.limiting(DecodedBody(Self.body(30), [0..<10, 10..<30]))) == 20)
        #expect(submission.bytes == 30 && submission.eventCount == 2)
        let events = HandedEvents([.pending(1), .refused(.rateLimited)], frames: Self.frames(15))
        #expect(submission.enter(.storing(events)) == -10)
        #expect(submission.bytes == 20 && submission.eventCount == 2 && submission.unansweredFrames?.count == 20)
        #expect(submission.enter(.answered) == -20)
        #expect(submission.isAnswered && submission.bytes == 0 && submission.unansweredFrames == nil)
    }

    @Test("All its events are there when storage has answered for the last; other answers change nothing")
    func settles() {
        let outcomes: [HandedEvents.Outcome] = [.pending(5), .refused(.rateLimited), .pending(6)]
        let submission = submission(.storing(HandedEvents(outcomes, frames: Self.frames(1))))
        for position in [1, 3, .max] { #expect(submission.settle(position, .durable, retryAfter: 0) == nil) }
        for _ in 0..<2 { #expect(submission.settle(0, .unavailable, retryAfter: 9) == nil) }
        #expect(submission.retryAfter == 9)
        let events = submission.settle(2, .durable, retryAfter: 20)
        #expect(events?.retryAfter == 9, "only that of what was not stored")
        guard case .refused(.unavailable) = events?.outcomes[0], case .refused(.rateLimited) = events?.outcomes[1],
            case .accepted(6) = events?.outcomes[2]
        else {
            Issue.record("\(String(describing: events?.outcomes))")
            return
        }
        #expect(submission.settle(2, .durable, retryAfter: 0) == nil)
    }

    @Test("Its frames are sent from where they were written, the first time and again")
    func sharesFrames() {
        let edge = Edge.knowingKey()
        edge.post(token: 1)
        edge.machine.receive(
            LimitScript.Grant(granted: 1, used: 1, left: 60_000), for: edge.calls[0].number, now: edge.now)
        var addresses: [UnsafeRawPointer?] = []
        edge.machine.toStorage.forEachPiece { addresses.append($0.baseAddress) }
        edge.machine.storageLost()
        edge.machine.storageConnected()
        edge.machine.toStorage.forEachPiece { addresses.append($0.baseAddress) }
        #expect(addresses.count == 2 && addresses[0] == addresses[1])
    }
}
