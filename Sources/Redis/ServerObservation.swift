internal import System

/// What a Redis says of itself, beside its results.
package struct ServerObservation: Equatable {
    /// The `maxmemory-policy` of a Redis that evicts keys, as far as it has answered.
    package private(set) var evictionPolicy: String?
    /// Microseconds between this host's clock and Redis's, beyond what the answer took; nil until it has answered.
    package private(set) var clockDifference: Int64?

    /// The answer to INFO memory; a Redis that refuses it is taken for one that does not evict.
    mutating func note(information reply: RedisReply) {
        if case .text(let text) = reply { evictionPolicy = Eviction.policy(in: text) } else { evictionPolicy = nil }
    }

    /// The answer to TIME: seconds since 1970, and microseconds; it may be refused.
    ///
    /// - Parameters:
    ///   - asked: the time of this host's clock before the question, in microseconds since 1970.
    ///   - now: the same after the answer.
    mutating func note(time reply: RedisReply, asked: Int64, now: Int64 = Clock.wall()) {
        clockDifference = nil
        guard case .texts(let words) = reply, words.count == 2, let seconds = UInt32(words[0]),
            let microseconds = UInt32(words[1])
        else { return }
        let theirs = Int64(seconds) * 1_000_000 + Int64(microseconds)
        clockDifference = theirs < asked ? asked - theirs : max(theirs - now, 0)
    }
}
