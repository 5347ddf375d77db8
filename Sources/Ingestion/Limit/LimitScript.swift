/// The rate limit in Redis: a fixed window that starts with the project's first event, check and count in one step.
package enum LimitScript {
    /// Counts events against a project's window, as many as fit.
    ///
    /// - KEYS[1]: the project's counter: the events granted in the current window, which ends when the key expires.
    /// - ARGV[1]: the events asked for, at least 1.
    /// - ARGV[2]: the events that one window grants.
    /// - ARGV[3]: the length of the window in milliseconds.
    /// - Result: events granted now; events granted in this window, these included; milliseconds until the window ends.
    ///
    /// A refusal changes nothing, except that a window longer than the project's current one is cut to that.
    package static let source: StaticString = """
        local window = tonumber(ARGV[3])
        local used = tonumber(redis.call('GET', KEYS[1]) or '0')
        local granted = math.max(0, math.min(tonumber(ARGV[1]), tonumber(ARGV[2]) - used))
        if granted > 0 then used = redis.call('INCRBY', KEYS[1], granted) end
        local left = redis.call('PTTL', KEYS[1])
        if left < 0 or left > window then
            if used > 0 then redis.call('PEXPIRE', KEYS[1], window) end
            left = window
        end
        return {granted, used, left}
        """

    /// How to call the script once.
    package struct Call: Equatable, Sendable {
        /// Counts an event of no project, in a window of one second: it succeeds where all calls do.
        package static let probe = Call(number: 0, project: 0, wanted: 1, limit: .max, window: 1)

        /// Names the call in `Ingestion.receive(_:for:)`.
        package let number: UInt64
        package let project: Int64
        package let wanted: UInt32
        /// The events that one window grants.
        package let limit: UInt32
        /// Seconds.
        package let window: UInt32

        /// The project's counter. The braces keep a project's keys together in a Redis cluster.
        package func key(prefix: String) -> [UInt8] {
            Array("\(prefix){\(project)}".utf8)
        }

        /// `ARGV`.
        package var arguments: [[UInt8]] {
            [UInt64(wanted), UInt64(limit), UInt64(window) * 1_000].map { Array(String($0).utf8) }
        }
    }

    /// The script's result.
    package struct Grant: Equatable, Sendable {
        package let granted: UInt32
        package let used: UInt32
        /// Milliseconds until the window ends.
        package let left: UInt32

        package init(granted: UInt32, used: UInt32, left: UInt32) {
            self.granted = granted
            self.used = used
            self.left = left
        }

        /// As Redis gave it; nil when it gave none, or something else.
        package init?(_ integers: [Int64]?) {
            guard let integers, integers.count == 3 else { return nil }
            self.init(
                granted: UInt32(clamping: integers[0]), used: UInt32(clamping: integers[1]),
                left: UInt32(clamping: integers[2]))
        }
    }
}
