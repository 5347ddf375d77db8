/// What Redis has been asked and not yet answered, in order.
struct PendingReplies {
    enum Expected {
        /// An answer to AUTH or SELECT.
        case greeting
        /// The master's address, from a Sentinel.
        case master
        /// The digest, by SCRIPT LOAD.
        case digest
        /// The result of the call that shows whether Redis does its work.
        case probe
        /// What INFO says of its memory; it may refuse that.
        case information
        /// Its time, asked for at this one of this host's clock, in microseconds since 1970; it may refuse that.
        case time(Int64)
        /// A call: its number, what it was called with, when it is given up.
        case call(UInt64, ScriptClient.Arguments, deadline: Int64)
    }

    /// Answered replies are removed from the front when there are so many, or nothing else is left.
    private static let batch = 1_024

    private var all: [Expected] = []
    private var answered = 0

    var isEmpty: Bool { answered == all.count }

    /// When the oldest call is given up; nil when there is none.
    var callDeadline: Int64? {
        for position in answered..<all.count {
            if case .call(_, _, let deadline) = all[position] { return deadline }
        }
        return nil
    }

    mutating func append(_ expected: Expected) {
        all.append(expected)
    }

    /// What the next reply is to; nil when nothing was asked.
    mutating func next() -> Expected? {
        guard !isEmpty else { return nil }
        let first = all[answered]
        answered += 1
        if isEmpty || answered >= Self.batch {
            all.removeFirst(answered)
            answered = 0
        }
        return first
    }

    /// Forgets everything.
    ///
    /// - Returns: the numbers of the calls that get no reply.
    mutating func removeAll() -> [UInt64] {
        let calls = all[answered...].compactMap { expected in
            if case .call(let number, _, _) = expected { number } else { nil }
        }
        all.removeAll(keepingCapacity: true)
        answered = 0
        return calls
    }
}
