import Testing

@testable import Scoreboard
@testable import mesher_watchdog

struct RecentPastTests {
    private static let second: Int64 = 1_000_000_000

    /// What was counted when so many events were accepted, so many refused as invalid JSON and so many requests took 4 ms.
    private func totals(_ accepted: UInt64, invalid: UInt64 = 0, requests: UInt64 = 0) -> RecentPast.Totals {
        var outcomes = [UInt64](repeating: 0, count: OutcomeLabels.reasons.count + 1)
        outcomes[OutcomeLabels.accepted] = accepted
        outcomes[OutcomeLabels.discarded(2)] = invalid
        var counts = [UInt64](repeating: 0, count: Histogram.requestDuration.bounds.count + 1)
        counts[2] = requests
        return RecentPast.Totals(
            outcomes: outcomes, durations: HistogramReading(counts: counts, sum: requests * 4_000_000),
            delivered: accepted)
    }

    @Test("What is counted each second makes a step every five seconds, and what was counted before makes none")
    func steps() {
        var past = RecentPast()
        for second in 0...11 as ClosedRange<Int64> {
            past.note(totals(1_000 + 10 * UInt64(second), invalid: UInt64(second)), now: second * Self.second)
        }
        #expect(past.steps.map { $0.added.outcomes[OutcomeLabels.accepted] } == [50, 50])
        #expect(past.steps.map(\.seconds) == [5, 5])
        #expect(past.sum()?.discarded { $0 == "invalid_json" } == 10)
        #expect(past.sum()?.discarded { $0 != "invalid_json" } == 0)
        #expect(past.sum()?.delivered == 100)
        #expect(past.sum(last: 1)?.outcomes[OutcomeLabels.accepted] == 50)
    }

    @Test("It reaches back 15 minutes and no farther")
    func capacity() {
        var past = RecentPast()
        for second in 0...2_000 as ClosedRange<Int64> { past.note(totals(UInt64(second)), now: second * Self.second) }
        #expect(past.steps.count == 180)
        #expect(past.sum()?.outcomes[OutcomeLabels.accepted] == 900)
    }

    @Test("What passed while the watchdog was suspended is spread over that time")
    func suspended() {
        var past = RecentPast()
        past.note(totals(0), now: 0)
        past.note(totals(600), now: 60 * Self.second)
        #expect(past.steps.map { $0.added.outcomes[OutcomeLabels.accepted] } == [UInt64](repeating: 50, count: 12))
        past.note(totals(600), now: .max)
        #expect(past.steps.count == 180)
    }

    @Test("A count that goes back adds nothing, and one that is spoiled cannot overflow a sum")
    func spoiled() {
        var past = RecentPast()
        past.note(totals(500), now: 0)
        past.note(totals(3, requests: .max >> 24), now: 5 * Self.second)
        #expect(past.sum()?.outcomes[OutcomeLabels.accepted] == 0)
        for step in 2...400 as ClosedRange<Int64> {
            past.note(totals(step % 2 == 0 ? .max : 0), now: step * 5 * Self.second)
        }
        #expect(past.sum()?.outcomes[OutcomeLabels.accepted] ?? 0 > 1 << 44)
    }

    @Test("A quantile lies within its class as Prometheus estimates it, and there is none of nothing")
    func quantiles() throws {
        let histogram = Histogram(bounds: [10, 20, 40], scale: 1)
        func quantile(_ share: Double, _ counts: [UInt64]) -> Double? {
            HistogramReading(counts: counts, sum: 0).quantile(share, histogram)
        }
        #expect(quantile(0.5, [0, 0, 0, 0]) == nil)
        #expect(quantile(0.5, [10, 0, 0, 0]) == 5)
        #expect(quantile(0.5, [0, 10, 0, 0]) == 15)
        #expect(quantile(0.99, [0, 0, 100, 0]).map { abs($0 - 39.8) < 0.001 } == true)
        #expect(quantile(0.9, [1, 0, 0, 9]) == 40)
    }
}
