import Testing

@testable import mesher_storage

@Suite struct CommitPlanTests {
    /// What a plan decides for events of which some are refused.
    private func outcome(of count: Int, refused: Set<Int>) -> (stored: [Int], notStored: [Int], statements: Int) {
        var plan = CommitPlan([0..<count])
        var stored: [Int] = []
        var notStored: [Int] = []
        var statements = 0
        while case .insert(let range) = plan.step(now: 0) {
            statements += 1
            if refused.isDisjoint(with: range) {
                stored += plan.inserted() ?? 0..<0
            } else {
                notStored += refusedRange(plan.failed(.badEvent, now: 0))
            }
        }
        #expect(plan.step(now: 0) == .finished)
        return (stored, notStored, statements)
    }

    private func refusedRange(_ verdict: CommitPlan.Verdict?) -> Range<Int> {
        if case .refused(let range) = verdict { range } else { 0..<0 }
    }

    @Test("ranges are inserted one after the other")
    func order() {
        var plan = CommitPlan([0..<3, 3..<5])
        #expect(plan.step(now: 0) == .insert(0..<3))
        #expect(plan.inserted() == 0..<3)
        #expect(plan.step(now: 0) == .insert(3..<5))
        #expect(plan.inserted() == 3..<5)
        #expect(plan.step(now: 0) == .finished)
    }

    @Test("only the refused event is not stored", arguments: [0, 1, 31, 62, 63])
    func bisection(position: Int) {
        let outcome = outcome(of: 64, refused: [position])
        #expect(outcome.notStored == [position])
        #expect(outcome.stored.sorted() == (0..<64).filter { $0 != position })
        #expect(outcome.statements == 13)
    }

    @Test("when all are refused, each is decided once")
    func allRefused() {
        let outcome = outcome(of: 10, refused: Set(0..<10))
        #expect(outcome.notStored == Array(0..<10))
        #expect(outcome.stored.isEmpty)
    }

    @Test("partitions are made once before the insert is tried again")
    func missingPartition() {
        var plan = CommitPlan([0..<2])
        #expect(plan.failed(.missingPartition, now: 0) == nil)
        #expect(plan.step(now: 0) == .makePartitions(0..<2))
        plan.madePartitions()
        #expect(plan.step(now: 0) == .insert(0..<2))
        #expect(plan.failed(.missingPartition, now: 0) == nil)
        #expect(plan.step(now: 0) == .insert(0..<1), "a CHECK was violated: an event is to blame")
    }

    @Test("where partitions cannot be made for now no event is to blame", arguments: [FailureKind.transient, .session])
    func partitionsNotMade(kind: FailureKind) {
        var plan = CommitPlan([0..<2, 2..<3])
        _ = plan.failed(.missingPartition, now: 0)
        plan.madePartitions(failure: kind)
        #expect(plan.undecided == [0..<2, 2..<3])
        #expect(plan.failed(.missingPartition, now: 0) == .unstored(0..<2))
    }

    @Test("a transient failure is tried again after growing pauses, then given up")
    func transient() {
        var plan = CommitPlan([0..<2])
        var now: Int64 = 0
        for attempt in 1..<CommitPlan.attempts {
            #expect(plan.failed(.transient, now: now) == nil)
            let pause = CommitPlan.firstPause << (attempt - 1)
            #expect(plan.step(now: now) == .wait(until: now + pause))
            now += pause
            #expect(plan.step(now: now) == .insert(0..<2))
        }
        #expect(plan.failed(.transient, now: now) == .unstored(0..<2))
        #expect(plan.step(now: now) == .finished)
    }

    @Test("a failure of the server decides only the statement that met it")
    func server() {
        var plan = CommitPlan([0..<2, 2..<3])
        #expect(plan.failed(.server, now: 0) == .unstored(0..<2))
        #expect(plan.step(now: 0) == .insert(2..<3))
    }

    @Test("abandoning names all that is left, in order, and nothing twice")
    func abandon() {
        var plan = CommitPlan([0..<2, 2..<4, 4..<5])
        _ = plan.inserted()
        #expect(plan.abandon() == [2..<4, 4..<5])
        #expect(plan.abandon().isEmpty)
        #expect(plan.step(now: 0) == .finished)
    }
}
