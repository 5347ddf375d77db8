import Spool
import StorageChannel
import Testing

@testable import mesher_storage

@Suite struct KeyReadingPlanTests {
    /// What `changed` and all projects and keys are read in, with a database of so many.
    private func steps(_ plan: inout KeyReadingPlan, keys: Int, projects: Int) -> [KeyReadingPlan.Step] {
        var steps: [KeyReadingPlan.Step] = []
        var position = 0
        while let step = plan.next() {
            steps.append(step)
            guard case .sweep = step else { continue }
            let isOfProjects = plan.query(for: step).hasPrefix("SELECT NULL")
            let count = isOfProjects ? min(5_000, projects - position) : min(1_000, keys - position)
            let slice =
                isOfProjects
                ? KeySlice(projects: position..<position + count) : KeySlice(keys: position..<position + count)
            position = count < (isOfProjects ? 5_000 : 1_000) ? 0 : position + count
            let taken = plan.takeSwept(slice)
            if let completed = taken.completed { #expect(completed.projects.count == projects) }
        }
        return steps
    }

    @Test("all keys are read in slices of a thousand, and those of projects that have changed in turns with them")
    func sweep() {
        var plan = KeyReadingPlan()
        #expect(plan.next() == nil && !plan.hasMore)
        plan.restart()
        for project in 1...250 as ClosedRange<Int64> { plan.note(project) }
        let steps = steps(&plan, keys: 5_500, projects: 12_000)
        #expect(steps.count { $0 == .sweep } == 3 + 6)
        let changed = steps.filter { $0 != .sweep }
        #expect(changed.count == 3)
        #expect(steps.prefix(6).count { $0 == .sweep } == 3)
        #expect(!plan.hasMore)
    }

    @Test(
        "numbers of keys and projects that fill the last slice are read to their end, too",
        arguments: [0, 1_000, 2_000])
    func fullSlices(keys: Int) {
        var plan = KeyReadingPlan()
        plan.note(nil)
        #expect(steps(&plan, keys: keys, projects: 5_000).count == 2 + keys / 1_000 + 1)
    }

    @Test("a few projects with too many keys for one step have all keys read")
    func largeProject() {
        var plan = KeyReadingPlan()
        plan.note(7)
        #expect(plan.next() == .projects([7]))
        let isTaken = plan.take(KeySlice(keys: 0..<KeyReadingPlan.keysInStep + 1), of: [7])
        #expect(!isTaken)
        #expect(plan.next() == .sweep)
    }

    @Test("each slice goes on behind the last key of the one before it")
    func position() {
        var plan = KeyReadingPlan()
        plan.note(nil)
        #expect(plan.next() == .sweep)
        _ = plan.takeSwept(KeySlice(projects: 0..<3))
        _ = plan.next()
        let (range, completed) = plan.takeSwept(KeySlice(keys: 0..<1_000))
        #expect(range?.after == nil && range?.through == KeyID(1_000) && completed == nil)
        #expect(plan.query(for: .sweep).contains("WHERE key > '000000000000000000000000000003e8'"))
    }
}

extension KeySlice {
    /// What a query for projects finds; the first has the number 1.
    fileprivate init(projects: Range<Int>) {
        self.init(
            keys: KeySnapshot(), projects: Set(projects.map { Int64($0 + 1) }), rowCount: projects.count, lastKey: nil)
    }

    /// What one for keys finds.
    fileprivate init(keys: Range<Int>) {
        self.init(
            keys: KeySnapshot(), projects: [], rowCount: keys.count,
            lastKey: keys.isEmpty ? nil : KeyID(UInt128(keys.upperBound)))
    }
}
