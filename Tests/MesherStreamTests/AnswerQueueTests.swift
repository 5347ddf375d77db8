import Ingestion
import Scoreboard
import StorageChannel
import Testing

@testable import mesher_stream

struct AnswerQueueTests {
    /// An answer that can be told from others.
    private func answer(_ number: Int) -> Answer {
        var machine = IngestionMachine(options: .init())
        machine.receive(RoutedHead(RequestHead()), body: nil, token: 0, now: 0, wall: 0)
        guard case .answer(_, var answer)? = machine.commands.first else { preconditionFailure("no answer") }
        answer.retryAfter = UInt32(number)
        return answer
    }

    @Test("Answers are given out in the order of their messages, whatever order they come in")
    func order() {
        var queue = AnswerQueue()
        let tokens = (0..<4).map { _ in queue.expect() }
        queue.settle(tokens[2], answer(2))
        queue.settle(tokens[1], answer(1))
        var given = [queue.next()]
        queue.settle(tokens[0], answer(0))
        for _ in 0..<4 { given.append(queue.next()) }
        #expect(given.map { $0?.retryAfter } == [nil, 0, 1, 2, nil])
        #expect(queue.count == 1)
        queue.settle(tokens[3], answer(3))
        let last = queue.next()
        #expect(last?.retryAfter == 3)
        #expect(queue.count == 0)
    }

    @Test("Tokens stay right over thousands of messages, with some always in hand")
    func manyMessages() {
        var queue = AnswerQueue()
        var tokens: [Int] = []
        var given = 0
        for number in 0..<5_000 {
            tokens.append(queue.expect())
            if number >= 300 {
                queue.settle(tokens[number - 300], answer(number - 300))
                let next = queue.next()
                #expect(next?.retryAfter == UInt32(given))
                given += 1
            }
        }
        #expect(queue.count == 300)
    }

    @Test("An answer to a message that there is not changes nothing")
    func stranger() {
        var queue = AnswerQueue()
        queue.settle(7, answer(7))
        queue.settle(-1, answer(7))
        let next = queue.next()
        #expect(next == nil)
    }
}
