import Testing

@testable import Redis

struct PendingRepliesTests {
    private func call(_ number: UInt64, deadline: Int64 = 0) -> PendingReplies.Expected {
        .call(number, ScriptClient.Arguments(key: [], values: []), deadline: deadline)
    }

    private func number(_ expected: PendingReplies.Expected?) -> UInt64? {
        if case .call(let number, _, _)? = expected { number } else { nil }
    }

    @Test("Replies come in the order of the questions, however many there were")
    func order() {
        var pending = PendingReplies()
        #expect(pending.isEmpty && pending.next() == nil)
        for number in 0..<5_000 as Range<UInt64> { pending.append(call(number)) }
        for wanted in 0..<3_000 as Range<UInt64> { #expect(number(pending.next()) == wanted) }
        pending.append(call(5_000))
        for wanted in 3_000...5_000 as ClosedRange<UInt64> { #expect(number(pending.next()) == wanted) }
        #expect(pending.isEmpty && pending.next() == nil)
    }

    @Test("The oldest call decides when to give up, and nothing else does")
    func deadline() {
        var pending = PendingReplies()
        pending.append(.digest)
        #expect(pending.callDeadline == nil)
        for (number, deadline) in [(1, 5), (2, 9)] as [(UInt64, Int64)] {
            pending.append(call(number, deadline: deadline))
        }
        #expect(pending.callDeadline == 5)
        _ = pending.next()
        _ = pending.next()
        #expect(pending.callDeadline == 9)
    }

    @Test("A lost connection names the calls without a reply, and forgets them")
    func loss() {
        var pending = PendingReplies()
        for expected in [call(1), .information, call(2), call(3)] { pending.append(expected) }
        _ = pending.next()
        #expect(pending.removeAll() == [2, 3])
        #expect(pending.isEmpty && pending.callDeadline == nil && pending.removeAll().isEmpty)
    }
}
