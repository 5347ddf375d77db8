internal import Ingestion

/// The answers to messages, in the order of the messages, whatever order the answers arrive in.
struct AnswerQueue {
    private var answers: [Answer?] = []
    /// The token of the first in `answers`.
    private var first = 0
    /// How many at the front have been taken.
    private var taken = 0

    /// Messages without an answer, or whose answer waits for earlier ones.
    var count: Int { answers.count - taken }

    /// A message has come.
    ///
    /// - Returns: the token of its answer.
    mutating func expect() -> Int {
        answers.append(nil)
        return first + answers.count - 1
    }

    /// The answer to a message.
    mutating func settle(_ token: Int, _ answer: Answer) {
        guard answers.indices.contains(token - first) else { return }
        answers[token - first] = answer
    }

    /// The next answer in order; nil while it has not arrived.
    mutating func next() -> Answer? {
        guard taken < answers.count, let answer = answers[taken] else { return nil }
        answers[taken] = nil
        taken += 1
        if taken == answers.count || taken >= 256 {
            answers.removeFirst(taken)
            first += taken
            taken = 0
        }
        return answer
    }
}
