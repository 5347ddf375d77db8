import Testing

@testable import mesher_storage

@Suite struct BacklogTests {
    private let minute: Int64 = 60_000_000_000

    @Test("it stands still when for a minute nothing of it was delivered, and no longer once something is")
    func standsStill() {
        var backlog = Backlog()
        backlog.note(isEmpty: false, now: 10)
        backlog.note(isEmpty: false, now: minute)
        #expect(!backlog.standsStill(now: minute + 9))
        #expect(backlog.standsStill(now: minute + 10))
        backlog.moved(now: 2 * minute)
        #expect(!backlog.standsStill(now: 3 * minute - 1))
        #expect(backlog.standsStill(now: 3 * minute))
    }

    @Test("while there is none it does not stand still, and the next one begins anew")
    func empty() {
        var backlog = Backlog()
        backlog.note(isEmpty: true, now: 0)
        #expect(!backlog.standsStill(now: 10 * minute))
        backlog.note(isEmpty: false, now: 10 * minute)
        backlog.note(isEmpty: true, now: 12 * minute)
        backlog.note(isEmpty: false, now: 13 * minute)
        #expect(!backlog.standsStill(now: 13 * minute))
    }
}
