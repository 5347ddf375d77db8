import Scoreboard
import StorageChannel
import Testing

@testable import Ingestion

@Suite("The path of an event through the limit")
struct LimitedEventsTests {
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
}
