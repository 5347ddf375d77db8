import Scoreboard
import Testing

@testable import Ingestion

@Suite("Requests that may kill")
struct SuspicionTests {
    private static let identifier = "000000000000000000000000000000aa"
    private static let other = "000000000000000000000000000000bb"

    /// An edge that knows of deaths of the request 0xaa, whose body is a valid event.
    private func edge(deaths: Int, options: IngestionMachine.Options = .init()) -> Edge {
        let edge = Edge.knowingKey(options: options)
        let bytes = Array(Edge.validEvent.utf8)
        let body = BodyMark(project: 7, size: bytes.count, hash: bytes.withUnsafeBytes(BodyMark.hash))
        edge.machine.suspects.dead = [Suspect(request: 0xaa, body: body, deaths: deaths)]
        return edge
    }

    @Test("One that killed two is refused with the contract's text, counted as poison, and costs nothing")
    func poison() {
        let edge = edge(deaths: 2)
        edge.post(requestID: Self.identifier, token: 1)
        #expect(edge.answers[1]?.status == 400)
        #expect(edge.text(1) == #"{"error":"request cannot be processed","reason":"poison"}"#)
        #expect(edge.answers[1]?.outcomes == .all(.discarded(.poison), count: 1))
        #expect(edge.calls.isEmpty && !edge.wantsSolitude)
        #expect(edge.bytesInHand == 0)
    }

    @Test("The same body with another id is refused at once, and one that differs is not")
    func poisonByBody() {
        let edge = edge(deaths: 2)
        edge.post(requestID: Self.other, token: 1)
        edge.post(Edge.validEvent.replacing("it broke", with: "it brake"), requestID: Self.other, token: 2)
        #expect(edge.answers[1]?.status == 400)
        #expect(edge.answers[2] == nil && edge.calls.count == 1)
    }

    @Test("One that killed one waits until all others are answered, is then tried, and others are received after it")
    func triesAlone() {
        let edge = edge(deaths: 1)
        edge.post(Edge.validEvent + " ", requestID: Self.other, token: 1)
        #expect(edge.calls.count == 1)
        edge.post(requestID: Self.identifier, token: 2)
        #expect(edge.wantsSolitude)
        edge.tick()
        #expect(edge.calls.count == 1, "it waits")
        edge.grantAll()
        edge.acknowledgeAll()
        #expect(edge.answers[1]?.status == 202 && edge.answers[2] == nil)
        edge.tick()
        #expect(edge.calls.count == 1, "now it is tried")
        #expect(edge.wantsSolitude)
        edge.grantAll()
        edge.acknowledgeAll()
        #expect(edge.answers[2]?.status == 202)
        edge.tick()
        #expect(!edge.wantsSolitude)
        #expect(edge.requestsInHand == 0 && edge.bytesInHand == 0)
    }

    @Test("Several are tried one after the other")
    func triesEach() {
        let edge = edge(deaths: 1)
        edge.post(requestID: Self.identifier, token: 1, endsTurn: false)
        edge.post(requestID: Self.other, token: 2)
        #expect(edge.requestsInHand == 2)
        for token in 1...2 {
            edge.tick()
            #expect(edge.calls.count == 1)
            edge.grantAll()
            edge.acknowledgeAll()
            #expect(edge.answers[token]?.status == 202)
        }
        edge.tick()
        #expect(!edge.wantsSolitude && edge.surplusAnswers == 0)
    }

    @Test("One that never comes to be alone gets 503 in its time, and holds up nobody after that")
    func givesUp() {
        var options = IngestionMachine.Options()
        options.patience = 100
        let edge = edge(deaths: 1, options: options)
        edge.post(requestID: Self.other, token: 1, endsTurn: false) { $0.contentType = nil }
        edge.post(requestID: Self.identifier, token: 2)
        edge.now += 101
        edge.tick()
        edge.tick()
        #expect(edge.answers[2]?.status == 503)
        #expect(!edge.wantsSolitude && edge.requestsInHand == 0)
    }

    @Test("What another process is handling right now is tried alone")
    func elsewhere() {
        let edge = Edge.knowingKey()
        edge.machine.suspects.elsewhere = [0xaa]
        edge.post(requestID: Self.other, token: 1)
        #expect(!edge.wantsSolitude)
        edge.post(requestID: Self.identifier, token: 2)
        #expect(edge.wantsSolitude)
    }

    @Test("An envelope that names its key itself is refused by its id before anything is read of it")
    func envelope() {
        let edge = edge(deaths: 2)
        let envelope = "{\"dsn\":\"http://\(Edge.keyText)@localhost/7\"}\n{\"type\":\"event\"}\n\(Edge.validEvent)"
        edge.post(envelope, to: "/api/7/envelope/", key: nil, requestID: Self.other, token: 1)
        #expect(edge.answers[1] == nil && edge.calls.count == 1, "another one is taken")
        edge.post(envelope, to: "/api/7/envelope/", key: nil, requestID: Self.identifier, token: 2)
        #expect(edge.answers[2]?.status == 400)
        #expect(edge.answers[2]?.outcomes == .all(.discarded(.poison), count: 1))
    }
}
