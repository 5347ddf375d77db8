import Testing

@testable import mesher_storage

@Suite struct GroupCommitTests {
    private let delay: Int64 = 500_000
    private let millisecond: Int64 = 1_000_000

    private func groupCommit() -> GroupCommit { GroupCommit(events: 16, delay: delay) }

    @Test("the very first event waits for nothing")
    func first() {
        #expect(groupCommit().beginning(waiting: 1, first: 100, now: 100) == 100)
    }

    @Test("after a commit of one event the next waits for nothing")
    func singles() {
        let commits = groupCommit()
        commits.ended(size: 1, now: 1_000)
        #expect(commits.beginning(waiting: 1, first: 1_100, now: 1_100) == 1_100)
    }

    @Test("while events are flowing a commit begins after the delay of the first")
    func flowing() {
        let commits = groupCommit()
        commits.ended(size: 20, now: 1_000)
        #expect(commits.beginning(waiting: 3, first: 900, now: 1_100) == 900 + delay)
    }

    @Test("while events are flowing a commit begins as soon as enough wait")
    func enough() {
        let commits = groupCommit()
        commits.ended(size: 20, now: 1_000)
        #expect(commits.beginning(waiting: 15, first: 900, now: 1_100) > 1_100)
        #expect(commits.beginning(waiting: 16, first: 900, now: 1_100) == 1_100)
    }

    @Test("a delay longer than what counts as a pause is waited for to its end")
    func longDelay() {
        let commits = GroupCommit(events: 1_000, delay: 100 * millisecond)
        commits.ended(size: 20, now: 0)
        #expect(
            commits.beginning(waiting: 900, first: millisecond, now: 90 * millisecond) == 101 * millisecond)
    }

    @Test("after a pause the next event waits for nothing")
    func pause() {
        let commits = groupCommit()
        commits.ended(size: 20, now: 0)
        #expect(commits.beginning(waiting: 1, first: 4 * millisecond, now: 4 * millisecond) > 4 * millisecond)
        #expect(commits.beginning(waiting: 1, first: 5 * millisecond, now: 5 * millisecond) == 5 * millisecond)
    }

    @Test("beside the commit of another connection it begins once as many wait")
    func beside() {
        let commits = groupCommit()
        commits.ended(size: 20, now: 1_000)
        #expect(commits.beginning(waiting: 31, first: 900, now: 5 * millisecond, beside: 32) == .max)
        #expect(commits.beginning(waiting: 32, first: 900, now: 1_100, beside: 32) == 1_100)
        #expect(commits.beginning(waiting: 3, first: 900, now: 1_100, beside: 3) == 900 + delay)
    }
}
