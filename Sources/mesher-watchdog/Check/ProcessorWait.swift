internal import Glibc
internal import Scoreboard
internal import System

/// How long a process has waited for a processor since it began its current work. Other processes had that time, so it
/// does not make this one stuck. A process that was stopped, or waits for anything else, is not excused.
struct ProcessorWait {
    /// What the kernel says of a process at one moment.
    struct Sample: Equatable {
        /// Nanoseconds of the monotonic clock.
        let at: Int64
        /// It has a processor, or waits for one.
        let isRunnable: Bool
        /// Nanoseconds of processor time that it has had.
        let ran: Int64
        /// Nanoseconds for which it was kept waiting for a processor, once it got one; nil where the kernel does not say.
        let waited: Int64?
    }

    /// Some work, identified by its start, and the wait in it so far.
    private struct Stretch {
        var since: Int64?
        var waited: Int64 = 0

        mutating func grow(_ since: Int64?, by waited: Int64) {
            self.waited = since == self.since ? self.waited + waited : waited
            self.since = since
        }
    }

    private var last: Sample?
    private var executing = Stretch()
    private var heartbeat = Stretch()

    /// Nanoseconds of wait since the body that is being handled was begun, as of the last sample.
    var whileExecuting: Int64 { executing.waited }
    /// The same since the loop last began a turn.
    var sinceHeartbeat: Int64 { heartbeat.waited }

    /// Some time has passed. Work that began in between is credited with all the wait of that time, though some of it
    /// may lie before: better to count a process as stuck a little late than for what others did.
    mutating func note(_ sample: Sample, _ vitals: Vitals) {
        let waited = last.map { sample.waited(since: $0) } ?? 0
        last = sample
        executing.grow(vitals.execution?.since, by: waited)
        heartbeat.grow(vitals.heartbeat, by: waited)
    }
}

extension ProcessorWait.Sample {
    /// How much of the time since an earlier sample it waited for a processor. The kernel reports a wait only when it
    /// is over, so for a runnable process all time counts in which it did not run.
    fileprivate func waited(since earlier: Self) -> Int64 {
        let elapsed = max(0, at - earlier.at)
        let waited =
            if isRunnable {
                elapsed - (ran - earlier.ran)
            } else if let waited, let before = earlier.waited {
                waited - before
            } else {
                Int64(0)
            }
        return min(max(0, waited), elapsed)
    }

    /// What /proc/PID/stat and /proc/PID/schedstat hold, proc(5); nil when the process has ended. Without the second
    /// file, the processor time of the first is used, which is in hundredths of a second.
    ///
    /// - Parameter ticks: how many of the first's units make a second.
    init?(at: Int64, stat: [UInt8], schedstat: [UInt8]?, ticks: Int) {
        func numbers(_ words: [ArraySlice<UInt8>]) -> [Int64?] {
            words.map { Int64(String(decoding: $0, as: UTF8.self)) }
        }
        // The program's name, in parentheses, may hold anything.
        guard let end = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let words = stat[(end + 1)...].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        let values = numbers(words)
        guard words.count > 12, let user = values[11], let system = values[12], ticks > 0 else { return nil }
        let sched = numbers(schedstat?.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") } ?? [])
        self.at = at
        isRunnable = words[0].first == UInt8(ascii: "R")
        if sched.count > 1, let ran = sched[0], let waited = sched[1], ran > 0 {
            self.ran = ran
            self.waited = waited
        } else {
            ran = (user &+ system) &* (1_000_000_000 / Int64(ticks))
            waited = nil
        }
    }

    /// A process as it is now.
    static func of(_ pid: pid_t) -> Self? {
        // Taken before the files are read, so that what the process does meanwhile is not counted as a wait.
        let now = Clock.monotonic()
        guard let stat = content("/proc/\(pid)/stat") else { return nil }
        return Self(
            at: now, stat: stat, schedstat: content("/proc/\(pid)/schedstat"), ticks: sysconf(CInt(_SC_CLK_TCK)))
    }

    private static func content(_ path: String) -> [UInt8]? {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let file = Descriptor(adopting: number)
        var bytes = [UInt8](repeating: 0, count: 1_024)
        let count = read(file.number, &bytes, bytes.count)
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }
}
