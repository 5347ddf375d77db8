import Scoreboard
import Testing

@testable import Ingestion

struct OutcomeCountsTests {
    @Test("the scoreboard names the reasons as the answers do, in the same order")
    func names() {
        #expect(OutcomeLabels.reasons == DiscardReason.allCases.map(\.rawValue))
    }

    @Test("an event that is stored, refused or given up is counted once, under its route and outcome")
    func singleEvents() {
        let edge = Edge.knowingKey()
        edge.post(token: 1)
        edge.post("{}", token: 2)
        edge.grantAll()
        edge.acknowledgeAll()
        edge.post(key: nil, token: 3)
        edge.post(token: 4)
        edge.grantAll()
        edge.now += 11_000_000_000
        edge.tick()
        #expect(edge.answers[1]?.outcomes == .all(.accepted, count: 1))
        #expect(edge.answers[2]?.outcomes == .all(.discarded(.missingMessage), count: 1))
        #expect(edge.answers[3]?.outcomes == .all(.discarded(.unauthorized), count: 1))
        #expect(edge.answers[4]?.outcomes == .all(.discarded(.unavailable), count: 1))
        #expect(edge.answers.values.allSatisfy { $0.route == .events })
    }

    @Test("every event of a bulk is counted under its own outcome")
    func bulk() throws {
        let edge = Edge.knowingKey()
        edge.post("[\(Edge.validEvent),{},7,\(Edge.validEvent)]", to: "/api/v1/events/bulk", token: 1)
        let call = try #require(edge.calls.first)
        edge.grant(call, LimitScript.Grant(granted: 3, used: 1_000, left: 1_000))
        edge.acknowledgeAll()
        var counts = [Int](repeating: 0, count: DiscardReason.allCases.count + 1)
        for outcome: Outcome in [
            .accepted, .discarded(.missingMessage), .discarded(.invalidEvent), .discarded(.rateLimited),
        ] {
            counts[outcome.place] = 1
        }
        #expect(edge.answers[1]?.outcomes == .each(counts))
        #expect(edge.answers[1]?.route == .bulk)
    }

    @Test("a bulk that was not stored in time is so many unavailable events")
    func bulkGivenUp() {
        let edge = Edge.knowingKey()
        edge.post("[\(Edge.validEvent),\(Edge.validEvent)]", to: "/api/v1/events/bulk", token: 1)
        edge.grantAll()
        edge.now += 11_000_000_000
        edge.tick()
        #expect(edge.answers[1]?.outcomes == .all(.discarded(.unavailable), count: 2))
    }

    @Test("what carries no event is counted as a request alone")
    func noEvents() {
        let edge = Edge()
        edge.post("", to: "/healthz", method: "GET", token: 1)
        edge.post("", to: "/api/v1/events", method: "OPTIONS", token: 2)
        #expect(edge.answers[1]?.route == .health && edge.answers[1]?.outcomes == OutcomeCounts.noEvents)
        #expect(edge.answers[2]?.route == .preflight && edge.answers[2]?.outcomes == OutcomeCounts.noEvents)
    }
}
