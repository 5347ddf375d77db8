internal import Glibc
internal import System

/// Ends a session that no longer returns to its loop, by the kernel's limit on CPU time, which each turn postpones.
struct CPUGuard {
    /// Seconds of CPU time between two turns.
    private static let patience: rlim_t = 10
    /// Nanoseconds between two renewals.
    private static let interval: Int64 = 1_000_000_000

    private var renewedAt: Int64?

    /// The loop has completed a turn. The corresponding C function is `setrlimit` with `RLIMIT_CPU`.
    mutating func renew(now: Int64) {
        if let renewedAt, now - renewedAt < Self.interval { return }
        renewedAt = now
        var used = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used)
        ProcessAttributes.limit(RLIMIT_CPU, softlyTo: rlim_t(clamping: used.tv_sec) + Self.patience)
    }
}
