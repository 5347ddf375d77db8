/// The requests that may kill the process that handles them: each is tried once with no other in flight.
struct Trials {
    private var waiting: [Submission] = []
    /// The one that is being tried.
    private var current: Submission?

    /// Whether a request must be handled alone: until that is over no other may be received.
    var wantSolitude: Bool { current != nil || !waiting.isEmpty }

    func isTrying(_ submission: Submission) -> Bool { current === submission }

    mutating func append(_ submission: Submission) {
        waiting.append(submission)
    }

    /// Begins the next trial; nil when one is not over, or none can begin.
    ///
    /// - Parameter inFlight: all requests.
    mutating func begin(inFlight: Int) -> Submission? {
        if current?.isAnswered == true { current = nil }
        guard current == nil, !waiting.isEmpty else { return nil }
        waiting.removeAll { $0.isAnswered }
        guard !waiting.isEmpty, inFlight == waiting.count else { return nil }
        let next = waiting.removeFirst()
        current = next
        return next
    }
}
