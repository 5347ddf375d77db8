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
        #expect(edge.answers.values.allSatisfy { $0.outcomes == .noEvents && $0.route == .key })
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

    @Test("A body over the route's limit is refused before anything is counted")
    func refusesLargeBodies() {
        let edge = Edge.knowingKey()
        edge.post(String(repeating: " ", count: Limits.eventBytes + 1), token: 1)
        #expect(edge.text(1) == #"{"error":"payload too large","reason":"payload_too_large"}"#)
        #expect(edge.calls.isEmpty)
    }
}
