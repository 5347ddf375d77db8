/// Whether the peer of a session is still there: it answers pings and takes what is written. Times are nanoseconds of the
/// monotonic clock.
struct Liveness {
    /// What is due.
    enum Due: Equatable {
        case ping, drop
    }

    private let pingInterval: Int64
    private var heardAt: Int64
    private var pingAt: Int64
    /// Since when the peer is not read from; nil while it is.
    private var pausedAt: Int64?
    /// Since when something waits for the peer of which it takes nothing; nil while nothing waits.
    private var blockedAt: Int64?

    /// - Parameter pingInterval: from one ping to the next.
    init(now: Int64, pingInterval: Int64) {
        self.pingInterval = pingInterval
        heardAt = now
        pingAt = now + pingInterval
    }

    /// How long a peer may be silent, or take nothing of what waits for it.
    private var patience: Int64 { 2 * pingInterval }

    /// Bytes have come from the peer: as good as a pong.
    mutating func heard(now: Int64) {
        heardAt = now
    }

    /// The peer is read from, or is not: what it may have answered cannot be known then, and the clock stands.
    mutating func reads(_ isReading: Bool, now: Int64) {
        if isReading, let since = pausedAt {
            heardAt += now - since
            pausedAt = nil
        } else if !isReading, pausedAt == nil {
            pausedAt = now
        }
    }

    /// Something was written.
    ///
    /// - Parameters:
    ///   - count: how many bytes the socket took.
    ///   - rest: how many wait.
    mutating func wrote(_ count: Int, rest: Int, now: Int64) {
        if rest == 0 {
            blockedAt = nil
        } else if count > 0 || blockedAt == nil {
            blockedAt = now
        }
    }

    /// When `due` has to be asked.
    var wakeAt: Int64 {
        var moment = pingAt
        if pausedAt == nil { moment = min(moment, heardAt + patience) }
        if let blockedAt { moment = min(moment, blockedAt + patience) }
        return moment
    }

    mutating func due(now: Int64) -> Due? {
        if let blockedAt, now >= blockedAt + patience { return .drop }
        if pausedAt == nil, now >= heardAt + patience { return .drop }
        guard now >= pingAt else { return nil }
        pingAt = now + pingInterval
        return .ping
    }
}
