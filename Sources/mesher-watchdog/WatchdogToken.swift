internal import Glibc
internal import Scoreboard

/// What an event of the epoll set is about.
enum WatchdogToken {
    case signal
    case exit(pid_t)
    case readiness(pid_t)
    /// A child's standard error, by its serial number.
    case output(UInt32)
    case health(HealthSubject)

    /// Set for what belongs to no process.
    private static let healthBit: UInt64 = 1 << 63
    private static let outputBit: UInt64 = 1 << 62

    init(_ number: UInt64) {
        if number & Self.healthBit != 0 {
            let place = Int(number & ~Self.healthBit)
            let subjects = HealthSubject.allCases
            self = subjects.indices.contains(place) ? .health(subjects[place]) : .signal
            return
        }
        if number & Self.outputBit != 0 {
            self = .output(UInt32(truncatingIfNeeded: number))
            return
        }
        let pid = pid_t(truncatingIfNeeded: number >> 1)
        self = pid == 0 ? .signal : number & 1 == 0 ? .exit(pid) : .readiness(pid)
    }

    var number: UInt64 {
        switch self {
        case .signal: 0
        case .exit(let pid): UInt64(UInt32(bitPattern: pid)) << 1
        case .readiness(let pid): UInt64(UInt32(bitPattern: pid)) << 1 | 1
        case .output(let serial): Self.outputBit | UInt64(serial)
        case .health(let subject): Self.healthBit | UInt64(HealthSubject.allCases.firstIndex(of: subject) ?? 0)
        }
    }
}
