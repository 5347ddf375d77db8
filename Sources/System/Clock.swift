internal import Glibc

/// The clocks of clock_gettime(2).
package enum Clock {
    /// Nanoseconds since an arbitrary moment; never steps back. `CLOCK_MONOTONIC`.
    package static func monotonic() -> Int64 {
        read(CLOCK_MONOTONIC)
    }

    /// Microseconds since 1970-01-01T00:00:00Z; steps when the clock is set. `CLOCK_REALTIME`.
    package static func wall() -> Int64 {
        read(CLOCK_REALTIME) / 1_000
    }

    /// Nanoseconds of processor time that the calling thread has had. `CLOCK_THREAD_CPUTIME_ID`, a system call.
    package static func processor() -> Int64 {
        read(CLOCK_THREAD_CPUTIME_ID)
    }

    /// Waits, less when a signal comes. The corresponding C function is `nanosleep`.
    package static func sleep(nanoseconds: Int64) {
        var rest = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        nanosleep(&rest, nil)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
