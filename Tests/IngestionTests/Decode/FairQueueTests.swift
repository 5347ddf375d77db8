import Testing

@testable import Ingestion

final class FairQueueTests {
    private var queue = FairQueue<String>()

    private func next() -> String? { queue.popFirst()?.item }

    private func last(byBytes: Bool, waitingSince moment: Int64) -> String? {
        queue.popLast(byBytes: byBytes, waitingSince: moment)
    }

    private func append(_ items: String..., of project: Int64, bytes: Int = 1, now: Int64 = 0) {
        for item in items { queue.append(item, of: project, bytes: bytes, now: now) }
    }

    /// Takes all, each for a cost.
    private func takeAll(_ cost: (Int64) -> Int64) -> [String] {
        var order: [String] = []
        while let (item, project) = queue.popFirst() {
            order.append(item)
            queue.charge(project, cost(project))
        }
        return order
    }

    @Test("Of one project the first that came is next")
    func keepsOrder() {
        append("a", "b", "c", of: 1)
        #expect(takeAll { _ in 5 } == ["a", "b", "c"])
        #expect(queue.isEmpty)
        for number in 0..<1_000 { append("\(number)", of: 1) }
        #expect(takeAll { _ in 1 } == (0..<1_000).map { "\($0)" })
    }

    @Test("Projects get equal shares of the time, not of the turns")
    func sharesTime() {
        append("A", "A", "A", of: 1)
        append("b", "b", "b", "b", "b", "b", "b", of: 2, now: 1)
        #expect(takeAll { $0 == 1 ? 30 : 10 }.joined() == "AbbbAbbbAb")
    }

    @Test("Who comes later waits for what is being done and for nothing else, however much the others have queued")
    func newcomer() {
        for project in 1...3 as ClosedRange<Int64> { append("x", "x", "x", of: project) }
        for _ in 0..<4 {
            let project = queue.popFirst()?.project ?? 0
            queue.charge(project, 1_000 + project)
        }
        append("new", of: 9)
        #expect(next() == "new")
    }

    @Test("Time in which nothing waited is not saved up")
    func forgets() {
        append("a", of: 1)
        _ = queue.popFirst()
        queue.charge(1, 1)
        for _ in 0..<100 {
            append("b", of: 2)
            _ = queue.popFirst()
            queue.charge(2, 1_000)
        }
        append("a", "a", "a", of: 1)
        append("b", "b", of: 2)
        #expect(takeAll { _ in 1_500 }.joined() == "ababa")
    }

    @Test("What has cost nothing yet is next by its age")
    func oldestFirst() {
        for project in (1...50 as ClosedRange<Int64>).reversed() { append("\(project)", of: project, now: project) }
        #expect(takeAll { _ in 1 } == (1...50).map { "\($0)" })
    }

    @Test("The project with most to do gives up what came last, if it has waited for long")
    func givesUp() {
        append("a", "b", of: 1, bytes: 10, now: 5)
        append("c", "d", "e", of: 2, bytes: 1, now: 9)
        #expect(last(byBytes: true, waitingSince: 5) == nil)
        #expect(last(byBytes: false, waitingSince: 6) == "b", "the other has not waited so long")
        #expect(last(byBytes: false, waitingSince: 10) == "e")
        #expect(last(byBytes: true, waitingSince: 10) == "a")
        #expect(takeAll { _ in 1 } == ["c", "d"])
        #expect(last(byBytes: true, waitingSince: .max) == nil)
    }

    @Test("What many projects have used is forgotten once the others have used as much")
    func manyProjects() {
        for round in 0..<3 {
            for project in 0..<2_000 as Range<Int64> { append("\(round)", of: project) }
            #expect(takeAll { _ in 7 } == Array(repeating: "\(round)", count: 2_000))
        }
        append("late", of: 5_000)
        append("x", of: 1)
        #expect(next() == "late")
    }
}
