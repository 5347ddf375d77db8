import Scoreboard
import StorageChannel
import Testing

@testable import Ingestion

@Suite("The path of an event to storage, which may be late, gone or back")
struct StoredEventsTests {
    @Test("What storage cannot store is 503; what it can of the same bulk is accepted")
    func passesOnUnavailability() {
        let edge = Edge.knowingKey()
        edge.post(token: 1)
        edge.grantAll()
        edge.acknowledge(edge.tickets, .unavailable, retryAfter: 3)
        #expect(edge.answers[1]?.status == 503)
        #expect(edge.answers[1]?.retryAfter == 3)
        edge.tickets = []
        edge.post("[\(Edge.validEvent),\(Edge.validEvent)]", to: "/api/v1/events/bulk", token: 2)
        edge.grantAll()
        edge.acknowledge([edge.tickets[0]], .unavailable)
        edge.acknowledge([edge.tickets[1]])
        #expect(edge.answers[2]?.status == 202)
        #expect(edge.text(2)?.contains(#""status":503,"error":"temporarily unavailable""#) == true)
    }

    @Test("A drained host finishes what it has, and refuses the rest before Redis counts it, until it accepts again")
    func refusesWhileDraining() {
        func tell(_ degradation: Degradation, _ edge: Edge) {
            var frame = FrameWriter()
            frame.readiness(0, accepts: degradation.isEmpty, degradation)
            #expect(edge.receive(frame.bytes))
        }
        let edge = Edge.knowingKey()
        edge.post(token: 1)
        edge.grantAll()
        tell(.draining, edge)
        edge.acknowledgeAll()
        #expect(edge.answers[1]?.status == 202)
        edge.post(token: 2)
        edge.post("[\(Edge.validEvent)]", to: "/api/v1/events/bulk", token: 3)
        #expect([2, 3].map { edge.answers[$0]?.status } == [503, 503])
        #expect([2, 3].map { edge.answers[$0]?.retryAfter } == [1, 1])
        #expect(edge.calls.isEmpty && edge.tickets.isEmpty)
        edge.post(key: nil, token: 4)
        #expect(edge.answers[4]?.status == 401)
        tell([], edge)
        edge.post(token: 5)
        edge.grantAll()
        edge.acknowledgeAll()
        #expect(edge.answers[5]?.status == 202)
        // A new storage says it anew.
        tell(.draining, edge)
        edge.machine.storageLost()
        edge.machine.storageConnected()
        edge.post(token: 6)
        edge.tell(.known)
        edge.grantAll()
        edge.acknowledgeAll()
        #expect(edge.answers[6]?.status == 202)
    }

    @Test("After a restart of storage everything unanswered is sent again, under the same tickets and ids")
    func sendsAgain() {
        let edge = Edge.knowingKey()
        edge.post("[\(Edge.validEvent),\(Edge.validEvent)]", to: "/api/v1/events/bulk", token: 1)
        edge.grantAll()
        edge.acknowledge([edge.tickets[0]])
        let sent = (edge.tickets, edge.identifiers)
        edge.machine.storageLost()
        edge.post(token: 2)
        #expect(edge.lookUps.isEmpty)
        edge.tickets = []
        edge.identifiers = []
        edge.machine.storageConnected()
        edge.turn()
        #expect(edge.lookUps == [Edge.key])
        #expect(edge.tickets == sent.0)
        #expect(edge.identifiers == sent.1)
        edge.acknowledgeAll()
        #expect(edge.answers[1]?.status == 202)
        #expect(edge.text(1)?.hasPrefix(#"{"status":"accepted","accepted":2"#) == true)
    }

    @Test("What has no result after the patience is over is 503, and what comes later is ignored")
    func losesPatience() {
        let edge = Edge.knowingKey()
        edge.post(token: 1)
        edge.grantAll()
        edge.now += 9_999_999_999
        edge.tick()
        #expect(edge.answers.isEmpty)
        edge.now += 1
        edge.tick()
        #expect(edge.answers[1]?.status == 503)
        edge.acknowledgeAll()
        #expect(edge.surplusAnswers == 0)
        #expect(edge.machine.bytesInHand == 0)
    }

    @Test("Readiness is asked of storage, and names what is missing")
    func asksForReadiness() {
        let edge = Edge()
        edge.post(to: "/readyz", method: "GET", token: 1)
        var frame = FrameWriter()
        frame.readiness(edge.probes[0], accepts: true, [.postgresql])
        edge.machine.noteRedis(failure: "away")
        edge.receive(frame.bytes)
        #expect(edge.answers[1]?.status == 200)
        #expect(edge.text(1) == #"{"ready":true,"degraded":["postgresql","redis"]}"#)
    }

    @Test("A key that was unknown is asked for again when PostgreSQL is away, since it may be known by now")
    func forgetsUnknownKeys() {
        let edge = Edge.knowingKey()
        let stranger = "ffffffffffffffffffffffffffffffff"
        edge.post(key: stranger, token: 1)
        edge.tell(.unknown, key: KeyID(.max))
        #expect(edge.answers[1]?.status == 401)
        edge.post(key: stranger, token: 2)
        #expect(edge.answers[2]?.status == 401 && edge.lookUps.count == 1)
        var frame = FrameWriter()
        frame.readiness(0, accepts: true, .postgresql)
        edge.receive(frame.bytes)
        edge.post(key: stranger, token: 3)
        edge.tell(.unavailable, key: KeyID(.max))
        #expect(edge.answers[3]?.status == 503 && edge.lookUps.count == 2)
        edge.post(token: 4)
        edge.grantAll()
        edge.acknowledgeAll()
        #expect(edge.answers[4]?.status == 202)
    }

    @Test("A small event after a large one holds no more bytes than its own")
    func sharesNoBuffer() {
        let edge = Edge.knowingKey()
        edge.post(#"{"message":"\#(String(repeating: "x", count: 900_000))","level":"info"}"#, token: 1)
        edge.grantAll()
        edge.acknowledgeAll()
        edge.post(token: 2)
        edge.grantAll()
        #expect((1..<4_096).contains(edge.machine.bytesInHand))
    }

    @Test("Without a word of storage the answer to readiness is no after a second, and at once when it is gone")
    func losesPatienceForReadiness() {
        let edge = Edge()
        edge.post(to: "/readyz", method: "GET", token: 1)
        edge.now += 999_999_999
        edge.tick()
        #expect(edge.answers.isEmpty)
        edge.now += 1
        edge.tick()
        #expect(edge.answers[1]?.status == 503)
        #expect(edge.text(1) == #"{"ready":false,"degraded":[]}"#)
        edge.post(to: "/readyz", method: "GET", token: 2)
        edge.machine.storageLost()
        edge.turn()
        #expect(edge.answers[2]?.status == 503)
        #expect(edge.machine.requestsInHand == 0)
    }

    @Test("Frames that make no sense are found out and answer nothing")
    func refusesNonsense() {
        let edge = Edge.knowingKey()
        edge.post(token: 1)
        edge.grantAll()
        var frame = FrameWriter()
        frame.frame(.stored) { $0.integer(UInt32(7)) }
        #expect(!edge.receive(frame.bytes))
        var stranger = FrameWriter()
        stranger.frame(.stored) {
            $0.stored(edge.tickets[0], .durable, retryAfter: 0)
            $0.integer(UInt8(9))
        }
        #expect(!edge.receive(stranger.bytes))
        edge.acknowledge([.max, 0, edge.tickets[0] ^ 1])
        #expect(edge.surplusAnswers == 0)
    }
}
