import Testing

@testable import mesher

struct StreamQueueTests {
    private static let accepted = #"{"status":"accepted","id":"a"}"#
    private static let limited = #"{"error":"rate limited","reason":"rate_limited","retry_after":7}"#
    private static let second: Int64 = 1_000_000_000

    private static func queue(_ lines: ClosedRange<Int>, limit: Int = 100) -> StreamQueue {
        var queue = StreamQueue(limit: limit)
        for line in lines { queue.add(StreamQueue.Entry(line: line, event: [UInt8(line)])) }
        return queue
    }

    private static func send(_ queue: inout StreamQueue, at now: Int64 = 0) -> [UInt8] {
        var sent: [UInt8] = []
        while let event = queue.next(at: now) { sent += event }
        return sent
    }

    @Test("answers belong to the events in the order in which they were sent")
    func order() {
        var queue = Self.queue(1...3)
        #expect(queue.take(Self.accepted, at: 0) == .nonsense)
        #expect(Self.send(&queue) == [1, 2, 3])
        #expect(queue.take(Self.accepted, at: 0) == .accepted)
        #expect(queue.take(#"{"error":"no","reason":"invalid_level"}"#, at: 0) == .refused(line: 2, error: "no"))
        #expect(queue.take("hello", at: 0) == .nonsense)
        #expect(queue.count == 1)
    }

    @Test("what was in flight when the connection was lost is sent again first")
    func loss() {
        var queue = Self.queue(1...3)
        #expect(queue.next(at: 0) == [1] && queue.next(at: 0) == [2])
        queue.connectionLost()
        #expect(Self.send(&queue) == [1, 2, 3])
    }

    @Test("what was rate limited waits for as long as the server says, and goes before what was never sent")
    func pauses() {
        var queue = Self.queue(1...4)
        #expect(queue.next(at: 0) == [1] && queue.next(at: 0) == [2] && queue.next(at: 0) == [3])
        #expect(queue.take(Self.limited, at: 0) == .again)
        #expect(queue.take(Self.limited, at: Self.second) == .again)
        #expect(queue.take(Self.accepted, at: Self.second) == .accepted)
        #expect(queue.next(at: 8 * Self.second - 1) == nil)
        #expect(Self.send(&queue, at: 8 * Self.second) == [1, 2, 4])
    }

    @Test("there is room for so many events, or so many bytes")
    func room() {
        #expect(Self.queue(1...3, limit: 4).hasRoom && !Self.queue(1...4, limit: 4).hasRoom)
        var queue = StreamQueue(limit: 100)
        for line in 1...8 {
            #expect(queue.hasRoom)
            queue.add(StreamQueue.Entry(line: line, event: [UInt8](repeating: 0, count: 1 << 20)))
        }
        #expect(!queue.hasRoom)
        _ = queue.next(at: 0)
        _ = queue.take(Self.accepted, at: 0)
        #expect(queue.hasRoom)
    }
}
