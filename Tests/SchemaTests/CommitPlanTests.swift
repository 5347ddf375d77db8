import Schema
import Testing

@Suite struct CommitPlanTests {
    /// What a plan decides for events of which some are refused.
    private func outcome(of count: Int, refused: Set<Int>) -> (stored: [Int], notStored: [Int], statements: Int) {
        var plan = CommitPlan([0..<count])
        var stored: [Int] = []
        var notStored: [Int] = []
        var statements = 0
        while plan.step(now: 0) != .finished {
            guard case .insert(let range) = plan.step(now: 0) else {
                #expect(plan.probed() == nil)
                continue
            }
            statements += 1
            if refused.isDisjoint(with: range) {
                stored += plan.inserted() ?? 0..<0
            } else {
                if case .refused(let range) = plan.failed(.badEvent, now: 0) { notStored += range }
            }
        }
        return (stored, notStored, statements)
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
        #expect(outcome.statements == 14)
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

    @Test("an event that is refused alone is not blamed before PostgreSQL has taken another row")
    func suspected() {
        var plan = CommitPlan([0..<1, 1..<3])
        #expect(plan.failed(.badEvent, now: 0) == nil)
        #expect(plan.step(now: 0) == .probe(0))
        #expect(plan.undecided == [0..<1, 1..<3])
        #expect(plan.probed() == nil)
        #expect(plan.step(now: 0) == .insert(0..<1), "what refused it may just have ended")
        #expect(plan.failed(.badEvent, now: 0) == .refused(0..<1))
        #expect(plan.step(now: 0) == .insert(1..<3))
    }

    @Test("when PostgreSQL takes no other row, nothing is blamed, and all that is left waits")
    func refusesAll() {
        var plan = CommitPlan([0..<2])
        #expect(plan.failed(.badEvent, now: 0) == nil)
        #expect(plan.inserted() == 0..<1)
        #expect(plan.failed(.badEvent, now: 0) == nil)
        #expect(plan.step(now: 0) == .probe(1))
        #expect(plan.abandon() == [1..<2])
    }

    @Test("an event that has cost sessions is tried only after another row, and at last refused without being tried")
    func costly() {
        var tried = CommitPlan(suspected: .tried)
        #expect(tried.step(now: 0) == .probe(0))
        #expect(tried.probed() == nil)
        #expect(tried.step(now: 0) == .insert(0..<1))
        #expect(tried.inserted() == 0..<1)
        var refused = CommitPlan(suspected: .refused)
        #expect(refused.step(now: 0) == .probe(0))
        #expect(refused.probed() == 0..<1)
        #expect(refused.step(now: 0) == .finished)
    }

    @Test(
        "where the other row may be at fault the suspected event is left for the end, as long as others are not suspected"
    )
    func postponed() {
        var plan = CommitPlan([0..<3])
        #expect(plan.failed(.badEvent, now: 0) == nil)
        #expect(plan.failed(.badEvent, now: 0) == nil)
        #expect(plan.step(now: 0) == .probe(0))
        var hasOthers = plan.postpone()
        #expect(hasOthers)
        #expect(plan.inserted() == 1..<3)
        #expect(plan.step(now: 0) == .probe(0))
        hasOthers = plan.postpone()
        #expect(!hasOthers)
        #expect(plan.probed() == nil)
        #expect(plan.inserted() == 0..<1)
    }
}
