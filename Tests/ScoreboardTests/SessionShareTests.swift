import Testing

@testable import Scoreboard

struct SessionShareTests {
    private let share = SessionShare(processors: 4)
    /// What a steady use of one processor comes to.
    private let one = SessionShare.lifetime

    @Test("What a session uses decays to half each half-life, and a steady use comes to its share of the lifetime")
    func decays() {
        let start: Int64 = 5_000_000_000
        var use = RecentUse(nanoseconds: 80e6, now: start)
        #expect(abs(use.nanoseconds(now: start + Int64(RecentUse.halfLife)) - 40e6) < 0.5e6)
        #expect(use.nanoseconds(now: start - 5_000_000) <= 80e6, "another processor's clock is behind")
        for step in 1...400 as ClosedRange<Int64> {
            let now = start + step * 10_000_000
            use = RecentUse(nanoseconds: use.nanoseconds(now: now) + 3e6, now: now)
        }
        let steady = use.nanoseconds(now: start + 4_000_000_000)
        #expect(abs(steady / (0.3 * one) - 1) < 0.05, "\(steady)")
        #expect(RecentUse(nanoseconds: -1, now: start).nanoseconds(now: start) == 0)
        #expect(RecentUse(word: .max).nanoseconds(now: .max) <= 4.3e12)
        // A restart of the clock's upper half.
        #expect(RecentUse(nanoseconds: 1e6, now: (1 << 52) - 1).nanoseconds(now: 1 << 52) > 0.9e6)
    }

    @Test("One project may use half of the processors, and rests for as long as it is beyond that")
    func oneProject() {
        #expect(share.rest(of: 1, [:]) == 0)
        #expect(share.rest(of: 1, [1: 1.99 * one]) == 0)
        #expect(share.rest(of: 1, [1: 2.2 * one, 2: 0]) > 10_000_000)
        #expect(share.rest(of: 1, [1: 4 * one]) >= 199_000_000)
        #expect(share.rest(of: 1, [1: 400 * one]) == Int64(SessionShare.longestRest))
    }

    @Test("Those are held back that rest, and nobody else")
    func heldBack() {
        for uses: [Int64: Double] in [
            [:], [1: 1.99], [1: 2.2, 2: 0], [1: 1.9, 2: 0.8, 3: 0.3, 4: 0.01], [1: 3, 2: 3, 3: 0.1],
        ] {
            let uses = uses.mapValues { $0 * one }
            #expect(share.heldBack(uses) == uses.keys.filter { share.rest(of: $0, uses) > 0 }.sorted())
        }
    }

    @Test("Projects that want more get equal shares of what the others leave, and those others never rest")
    func manyProjects() {
        let uses = [1: 1.9, 2: 0.8, 3: 0.3, 4: 0.01].mapValues { $0 * one }.reduce(into: [Int64: Double]()) {
            $0[Int64($1.key)] = $1.value
        }
        // 2 - 0.31 is 0.845 for each of both.
        #expect(share.rest(of: 1, uses) > 0)
        for project in 2...4 as ClosedRange<Int64> { #expect(share.rest(of: project, uses) == 0) }
        let all = Dictionary(uniqueKeysWithValues: (1...10 as ClosedRange<Int64>).map { ($0, 0.25 * one) })
        #expect(all.keys.allSatisfy { share.rest(of: $0, all) > 0 })
        let fewer = all.mapValues { $0 * 0.79 }
        #expect(fewer.keys.allSatisfy { share.rest(of: $0, fewer) == 0 })
    }

    @Test("A host of one processor has half of it for them")
    func oneProcessor() {
        #expect(SessionShare(processors: 0).rest(of: 1, [1: 0.49 * one]) == 0)
        #expect(SessionShare(processors: 1).rest(of: 1, [1: 0.6 * one]) > 0)
    }

    @Test("The table adds up what the sessions of each project use")
    func table() throws {
        let table = try SessionTable.unseen()
        let records = (0..<4).compactMap { _ in table.reserve(owner: 0) }
        for (record, project) in zip(records, [7, 7, 8] as [Int64]) {
            _ = table.enter(record, project: project, limit: 9)
            table.used(record, nanoseconds: 1_000_000, now: 1 << 30)
            table.used(record, nanoseconds: 2_000_000, now: 1 << 30)
        }
        table.used(records[3], nanoseconds: -5, now: 1 << 30)
        table.used(-1, nanoseconds: 5, now: 1 << 30)
        #expect(table.recentUse(now: 1 << 30) == [7: 6e6, 8: 3e6])
        table.free(records[2])
        #expect(table.recentUse(now: 1 << 30) == [7: 6e6])
    }
}
