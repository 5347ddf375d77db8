import StorageChannel
import Synchronization
import Testing

@testable import Ingestion

struct ProcessorShareTests {
    private static let otherKey = "ffffffffffffffffffffffffffffffff"
    private static let bulk = "[\(Edge.validEvent)]"
    private let edge: Edge
    private let clock = ProcessorClock()

    /// Each look at it costs so many nanoseconds, and bodies that are not plain cost one.
    private final class ProcessorClock: Sendable {
        let step = Atomic<Int64>(5_000_000)
        private let time = Atomic<Int64>(0)
        func next() -> Int64 { time.wrappingAdd(step.load(ordering: .relaxed), ordering: .relaxed).newValue }
    }

    /// Two projects, 7 and 8, share it.
    init() {
        let clock = clock
        var options = IngestionMachine.Options()
        options.share = ProcessorShare(patience: 1_000)
        options.processorTime = { clock.next() }
        edge = .knowingKey(options: options)
        edge.post(key: Self.otherKey, token: -2)
        edge.tell(.known, ProjectQuota(project: 8, events: 1_000, seconds: 60), key: KeyID(.max))
        settle()
    }

    private func settle() {
        while edge.hasWork { edge.turn() }
        edge.grantAll()
        edge.acknowledgeAll()
        edge.answers = [:]
    }

    private func flood(_ body: String, _ count: Int, path: StaticString = "/api/v1/events/bulk") {
        for token in 1...count { edge.post(body, to: path, token: token, endsTurn: false) }
    }

    @Test("A project's event goes before the costly bodies that another has queued")
    func goesFirst() {
        flood(Self.bulk, 20)
        edge.turn()
        edge.post(key: Self.otherKey, token: 100)
        #expect(edge.calls.map(\.project).sorted() == [7, 7, 8] && edge.calls.allSatisfy { $0.wanted == 1 })
        #expect(edge.hasWork)
        settle()
        #expect(edge.requestsInHand == 0 && edge.bytesInHand == 0)
    }

    @Test("So it does when those bodies are refused, or hold nothing")
    func refusedIsCharged() {
        for (body, path) in [
            ("[", "/api/v1/events/bulk"), (#"["#, "/api/7/envelope/"), ("{}\n", "/api/7/envelope/"),
        ] as [(String, StaticString)] {
            flood(body, 20, path: path)
            edge.turn()
            edge.post(key: Self.otherKey, token: 100)
            #expect(edge.calls.map(\.project) == [8])
            #expect(edge.answers.count == 1 || edge.answers.count == 2, "\(edge.answers.count)")
            settle()
        }
    }

    @Test("All who show no key before their body is decoded share the processor as one project")
    func strangers() {
        let encoding: StaticString = "gzip"
        let envelope = Compression.gzip.compress(Array("{}\n{\"type\":\"event\"}\n\(Edge.validEvent)".utf8))
        for token in 1...20 {
            edge.post(bytes: envelope, to: "/api/7/envelope/", key: nil, token: token, endsTurn: false) {
                $0.contentEncoding = encoding.bytes
            }
        }
        edge.turn()
        #expect(edge.answers.count == 1)
        edge.post(Self.bulk, to: "/api/v1/events/bulk", key: Self.otherKey, token: 100)
        #expect(edge.calls.map(\.project) == [8] && edge.answers.count == 1)
        settle()
        #expect(edge.requestsInHand == 0 && edge.bytesInHand == 0)
    }

    @Test("All small events of a turn go in it, and are asked for once")
    func batches() {
        flood(Edge.validEvent, 100, path: "/api/v1/events")
        edge.turn()
        #expect(edge.calls.map(\.wanted) == [100])
        #expect(!edge.hasWork)
        settle()
    }

    @Test("What Redis grants is charged as well when it is parsed")
    func parsingIsCharged() {
        edge.post(Self.bulk, to: "/api/v1/events/bulk", token: 1)
        for token in 2...5 {
            edge.post(Self.bulk, to: "/api/v1/events/bulk", key: Self.otherKey, token: token, endsTurn: false)
        }
        flood(Self.bulk, 3)
        clock.step.store(12_000_000, ordering: .relaxed)
        edge.grantAll()
        clock.step.store(5_000_000, ordering: .relaxed)
        edge.turn()
        #expect(edge.calls.map(\.project) == [8, 8], "parsing the first one took as long as two of the other's")
        settle()
    }

    @Test("A costly body waits a little for requests of others that are on their way, and small events never do")
    func yields() {
        flood(Self.bulk, 3)
        edge.turn()
        #expect(!edge.shouldYield, "its own requests are no others'")
        edge.post(key: Self.otherKey, token: 100)
        #expect(edge.shouldYield)
        edge.grantAll()
        #expect(edge.shouldYield || !edge.hasWork)
        settle()
        #expect(!edge.shouldYield)
    }

    @Test("When room is needed, who has most waiting for long is refused what came last")
    func makesRoom() {
        flood(Self.bulk, 20)
        edge.turn()
        edge.post(key: Self.otherKey, token: 100, endsTurn: false)
        #expect(!edge.makeRoom(byBytes: false, now: edge.now))
        #expect(edge.makeRoom(byBytes: false, now: edge.now + 2_000))
        #expect(edge.makeRoom(byBytes: true, now: edge.now + 2_000))
        edge.turn()
        #expect(edge.answers[20]?.status == 503 && edge.answers[19]?.status == 503)
        #expect(edge.answers[20]?.retryAfter == 1)
        settle()
        #expect(edge.requestsInHand == 0 && edge.bytesInHand == 0)
        #expect(!edge.makeRoom(byBytes: false, now: .max))
    }
}
