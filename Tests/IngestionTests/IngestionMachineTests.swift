import Scoreboard
import StorageChannel
import Testing

@testable import Ingestion

@Suite("The path of an event")
struct IngestionMachineTests {
    @Test("An event is answered with 202 and its id when storage has it, and not before")
    func answersAfterStorage() {
        let edge = Edge.knowingKey()
        edge.post(#"{"message":"a","level":"info","event_id":"9ec79c33ec9942ab8353589fcb2e04dc"}"#, token: 1)
        #expect(edge.calls == [LimitScript.Call(number: 2, project: 7, wanted: 1, limit: 1_000, window: 60)])
        edge.grantAll()
        #expect(edge.tickets.count == 1)
        #expect(edge.answers.isEmpty)
        edge.acknowledgeAll()
        #expect(edge.answers[1]?.status == 202)
        #expect(edge.text(1) == #"{"status":"accepted","id":"9ec79c33ec9942ab8353589fcb2e04dc"}"#)
        #expect(edge.machine.requestsInHand == 0)
        #expect(edge.machine.bytesInHand == 0)
    }

    @Test("Without an id of its own an event gets the request's, and the i-th of a bulk the request's plus i")
    func derivesIdentifiers() {
        let edge = Edge.knowingKey()
        edge.post(requestID: "000000000000000000000000000000ff", token: 1)
        edge.grantAll()
        edge.post(
            "[\(Edge.validEvent),\(Edge.validEvent)]", to: "/api/v1/events/bulk",
            requestID: "ffffffffffffffffffffffffffffffff", token: 2)
        edge.grantAll()
        #expect(edge.identifiers == [0xff, .max, 0])
    }

    @Test("A key that the edge does not know is asked for once, however many requests wait for it")
    func asksOnceForAKey() {
        let edge = Edge()
        for token in 1...5 { edge.post(token: token) }
        #expect(edge.lookUps == [Edge.key])
        #expect(edge.calls.isEmpty)
        edge.tell(.known)
        #expect(edge.calls.map(\.wanted) == [5])
        edge.grantAll()
        edge.acknowledgeAll()
        #expect(edge.answers.values.allSatisfy { $0.status == 202 })
        #expect(edge.answers.count == 5)
    }

    @Test("nginx's question for a key is answered with 204 or 401, needs no body, and counts for no event")
    func asksForAKey() {
        let edge = Edge()
        edge.post("", to: "/key", method: "GET", token: 1)
        edge.tell(.known)
        edge.post("", to: "/key", method: "GET", key: nil, token: 2)
        edge.post("", to: "/key", method: "GET", key: "0123", token: 3)
        edge.tell(.unknown)
        edge.post("", to: "/key", method: "GET", token: 4)
        #expect((1...4).map { edge.answers[$0]?.status } == [204, 401, 401, 401])
        #expect(edge.answers.values.allSatisfy { $0.outcomes == .none && $0.route == .key })
        #expect(edge.machine.requestsInHand == 0)
    }

    @Test("An unknown key is 401, is remembered, and is forgotten when storage says that it exists now")
    func remembersUnknownKeys() {
        let edge = Edge()
        edge.post(token: 1)
        edge.tell(.unknown)
        #expect(edge.answers[1]?.status == 401)
        #expect(edge.text(1) == #"{"error":"unauthorized","reason":"unauthorized"}"#)
        edge.post(token: 2)
        #expect(edge.answers[2]?.status == 401)
        #expect(edge.lookUps.count == 1)
        edge.tell(.known)
        edge.post(token: 3)
        edge.grantAll()
        edge.acknowledgeAll()
        #expect(edge.answers[3]?.status == 202)
    }

    @Test("A revoked key is 401 as soon as storage has said so")
    func hearsOfRevocation() {
        let edge = Edge.knowingKey()
        edge.tell(.unknown)
        edge.post(token: 1)
        #expect(edge.answers[1]?.status == 401)
    }

    @Test("A key that cannot be checked is 503 with Retry-After, and is asked for again")
    func cannotCheckKey() {
        let edge = Edge()
        edge.post(token: 1)
        edge.tell(.unavailable)
        #expect(edge.answers[1]?.status == 503)
        #expect(edge.answers[1]?.retryAfter == 1)
        #expect(edge.text(1) == #"{"error":"temporarily unavailable","reason":"unavailable"}"#)
        edge.post(token: 2)
        #expect(edge.lookUps.count == 2)
    }

    @Test("The events of one turn are one call for each project")
    func countsOncePerProject() {
        let edge = Edge.knowingKey()
        edge.post(token: 1, endsTurn: false)
        edge.post("[\(Edge.validEvent),\(Edge.validEvent)]", to: "/api/v1/events/bulk", token: 2, endsTurn: false)
        edge.post(token: 3, endsTurn: false)
        edge.turn()
        #expect(edge.calls.map(\.wanted) == [4])
    }

    @Test("A grant goes to those who came first; what is over it is 429 with Retry-After, rounded up")
    func grantsInOrder() {
        let edge = Edge.knowingKey()
        for token in 1...3 { edge.post(token: token, endsTurn: false) }
        edge.turn()
        edge.grant(edge.calls[0], LimitScript.Grant(granted: 2, used: 1_000, left: 41_001))
        edge.acknowledgeAll()
        #expect(edge.answers[1]?.status == 202)
        #expect(edge.answers[2]?.status == 202)
        #expect(edge.answers[3]?.status == 429)
        #expect(edge.answers[3]?.retryAfter == 42)
        #expect(edge.text(3) == #"{"error":"rate limited","reason":"rate_limited"}"#)
        #expect(edge.answers[2]?.quota == QuotaStatus(limit: 1_000, window: 60, remaining: 0, reset: 42))
    }

    @Test("An exhausted window is remembered until it ends, and forgotten when the limit changes")
    func remembersExhaustion() {
        let edge = Edge.knowingKey()
        edge.post(token: 1)
        edge.grant(edge.calls[0], LimitScript.Grant(granted: 1, used: 1_000, left: 30_000))
        edge.post(token: 2)
        #expect(edge.answers[2]?.status == 429)
        #expect(edge.answers[2]?.retryAfter == 30)
        #expect(edge.calls.isEmpty)
        edge.tell(.known, ProjectQuota(project: 7, events: 2_000, seconds: 60))
        edge.post(token: 3)
        #expect(edge.calls.map(\.limit) == [2_000])
        edge.grant(edge.calls[0], LimitScript.Grant(granted: 0, used: 2_000, left: 30_000))
        edge.now += 29_999_000_000
        edge.post(token: 4)
        #expect(edge.answers[4]?.status == 429)
        #expect(edge.answers[4]?.retryAfter == 1)
        edge.now += 1_000_000
        edge.post(token: 5)
        #expect(edge.calls.count == 1)
    }

    @Test("A bulk is granted as far as the window allows, and answered event by event")
    func grantsPartOfABulk() {
        let edge = Edge.knowingKey()
        let events = [Edge.validEvent, #"{"level":"info"}"#, Edge.validEvent, Edge.validEvent]
        edge.post("[\(events.joined(separator: ","))]", to: "/api/v1/events/bulk", token: 1)
        edge.grant(edge.calls[0], LimitScript.Grant(granted: 3, used: 1_000, left: 1_000))
        edge.acknowledgeAll()
        #expect(edge.answers[1]?.status == 202)
        let ids = #"["00000000000000000000000000000001",null,"00000000000000000000000000000003",null]"#
        let missing = #"{"index":1,"status":400,"error":"missing required field: message","reason":"missing_message"}"#
        let limited = #"{"index":3,"status":429,"error":"rate limited","reason":"rate_limited"}"#
        #expect(
            edge.text(1)
                == #"{"status":"accepted","accepted":2,"rejected":2,"ids":\#(ids),"errors":[\#(missing),\#(limited)]}"#)
    }

    @Test("A bulk of which nothing is accepted is rejected: 429 when the limit refused any, else 400")
    func rejectsWholeBulks() {
        let edge = Edge.knowingKey()
        edge.post("[{},{}]", to: "/api/v1/events/bulk", token: 1)
        edge.grantAll()
        #expect(edge.answers[1]?.status == 400)
        #expect(edge.text(1)?.hasPrefix(#"{"status":"rejected","accepted":0,"rejected":2,"ids":[null,null]"#) == true)
        edge.post("[{},\(Edge.validEvent)]", to: "/api/v1/events/bulk", token: 2)
        edge.grant(edge.calls[0], LimitScript.Grant(granted: 1, used: 1_000, left: 500))
        #expect(edge.answers[2]?.status == 429)
        #expect(edge.answers[2]?.retryAfter == 1)
    }

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

    @Test("Without Redis events go on uncounted, and storage's refusal is 429")
    func goesOnWithoutRedis() {
        let edge = Edge.knowingKey()
        edge.post(token: 1)
        edge.grant(edge.calls[0], nil)
        edge.post(token: 2)
        edge.grant(edge.calls[0], nil)
        #expect(edge.counted == [false, false])
        edge.acknowledge([edge.tickets[0]])
        edge.acknowledge([edge.tickets[1]], .rateLimited, retryAfter: 17)
        #expect(edge.answers[1]?.status == 202)
        #expect(edge.answers[2]?.status == 429)
        #expect(edge.answers[2]?.retryAfter == 17)
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

    @Test("A route that does not exist is 404; a wrong method is 405 and names the right ones")
    func refusesRoutes() {
        let edge = Edge()
        edge.post(to: "/api/v2/events", token: 1)
        #expect(edge.text(1) == #"{"error":"not found","reason":"not_found"}"#)
        edge.post(method: "PUT", token: 2)
        #expect(edge.answers[2]?.status == 405)
        #expect(edge.answers[2]?.allow == "POST, OPTIONS")
        edge.post(method: "OPTIONS", token: 3)
        #expect(edge.answers[3]?.status == 204)
        edge.post(to: "/healthz", method: "GET", token: 4)
        #expect(edge.answers[4]?.status == 200)
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

    @Test("What storage is told of Redis it is told again after a restart, unless all is well")
    func tellsOfRedis() {
        let edge = Edge(isConnected: false)
        edge.machine.noteRedis(failure: "away")
        edge.machine.storageConnected()
        edge.turn()
        #expect(edge.redisAnswers == [false])
        edge.machine.noteRedis(failure: nil)
        edge.machine.storageLost()
        edge.machine.storageConnected()
        edge.turn()
        #expect(edge.redisAnswers == [false])
        edge.machine.noteRedis(failure: "away again")
        edge.machine.noteRedis(failure: nil)
        edge.turn()
        #expect(edge.redisAnswers == [false, false, true])
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
        #expect(edge.machine.frameCapacityInHand < 4_096)
    }

    @Test("Who gave up waiting for a key is neither asked for again nor held")
    func forgetsWhoGaveUp() {
        let edge = Edge()
        edge.post(token: 1)
        edge.now += 10_000_000_000
        edge.tick()
        #expect(edge.answers[1]?.status == 503)
        edge.machine.storageLost()
        edge.lookUps = []
        edge.machine.storageConnected()
        edge.turn()
        #expect(edge.lookUps.isEmpty)
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

    @Test("A body over the route's limit is refused before anything is counted")
    func refusesLargeBodies() {
        let edge = Edge.knowingKey()
        edge.post(String(repeating: " ", count: Limits.eventBytes + 1), token: 1)
        #expect(edge.text(1) == #"{"error":"payload too large","reason":"payload_too_large"}"#)
        #expect(edge.calls.isEmpty)
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
