internal import WebSocket

/// Whether a session's peer is alive: it answers pings, reads what is written and completes the message it has begun.
/// Times are nanoseconds of the monotonic clock.
struct Liveness {
    /// What is due.
    enum Due: Equatable {
        case ping, drop
        /// The incoming message takes too long.
        case giveUpMessage
    }

    /// The minimum rate of a message after its first seconds: that of a modem.
    private static let bytesPerSecond: Int64 = 4 << 10
    /// Maximum nanoseconds of any message: enough for the largest at that rate.
    private static let longestMessage: Int64 = 1_400_000_000_000

    private let pingInterval: Int64
    private var heardAt: Int64
    private var pingAt: Int64
    /// Since when the peer is not read from; nil while it is.
    private var pausedAt: Int64?
    /// Since when the peer has read nothing of what waits for it; nil while nothing waits.
    private var blockedAt: Int64?
    /// The incoming message, and since when, excluding time in which the peer was not read from; nil between messages.
    private var message: (number: UInt64, since: Int64)?
    private var received: Int64 = 0

    /// - Parameter pingInterval: from one ping to the next.
    init(now: Int64, pingInterval: Int64) {
        self.pingInterval = pingInterval
        heardAt = now
        pingAt = now + pingInterval
    }

    /// How long a peer may be silent, or read nothing of what waits for it.
    private var patience: Int64 { 2 * pingInterval }

    /// The peer has sent bytes, which is as good as a pong.
    mutating func heard(now: Int64) {
        heardAt = now
    }

    /// Whether the peer is read from. While it is not, its answers are unknown, and the clock stops.
    mutating func reads(_ isReading: Bool, now: Int64) {
        if isReading, let since = pausedAt {
            heardAt += now - since
            message?.since += now - since
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

    /// This much of a message has arrived, and not all; nil between messages.
    mutating func awaits(_ unfinished: UnfinishedMessage?, now: Int64) {
        guard let unfinished else {
            message = nil
            return
        }
        if message?.number != unfinished.number { message = (unfinished.number, now) }
        received = Int64(clamping: unfinished.received)
    }

    /// When the incoming message must be complete: a slow peer's deadline grows with what it sends.
    private var messageEnd: Int64? {
        guard let message, pausedAt == nil else { return nil }
        let (time, isTooLong) = (received / Self.bytesPerSecond).multipliedReportingOverflow(by: 1_000_000_000)
        return message.since + (isTooLong ? Self.longestMessage : min(patience + time, Self.longestMessage))
    }

    /// When `due` has to be asked.
    var wakeAt: Int64 {
        var moment = pingAt
        if pausedAt == nil { moment = min(moment, heardAt + patience) }
        if let blockedAt { moment = min(moment, blockedAt + patience) }
        if let messageEnd { moment = min(moment, messageEnd) }
        return moment
    }

    mutating func due(now: Int64) -> Due? {
        if let blockedAt, now >= blockedAt + patience { return .drop }
        if pausedAt == nil, now >= heardAt + patience { return .drop }
        if let messageEnd, now >= messageEnd { return .giveUpMessage }
        guard now >= pingAt else { return nil }
        pingAt = now + pingInterval
        return .ping
    }
}
