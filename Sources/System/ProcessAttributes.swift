internal import CSystem
package import Glibc

/// What a process asks of the kernel for itself.
package enum ProcessAttributes {
    /// Ties this process to its supervisor. It ends when the supervisor does, even by SIGKILL: nobody would know of it,
    /// and the next supervisor needs what it holds. It ignores SIGINT, which ^C at a terminal sends to all; the
    /// supervisor stops its children in order. The corresponding C function is `prctl` with `PR_SET_PDEATHSIG`.
    ///
    /// - Returns: false when the supervisor died before, so that the signal will not come.
    package static func followSupervisor() -> Bool {
        signal(SIGINT, SIG_IGN)
        _ = mesher_set_parent_death_signal(SIGKILL)
        return ReadySignal.hasReader
    }

    /// This process, which was forked, ends with the one that forked it. The corresponding C function is `prctl` with
    /// `PR_SET_PDEATHSIG`.
    ///
    /// - Returns: false when the parent died before, so that the signal does not come.
    package static func endWith(parent: CInt) -> Bool {
        _ = mesher_set_parent_death_signal(SIGKILL)
        return getppid() == parent
    }

    /// Closes all descriptors from one on. The corresponding C function is `close_range`.
    package static func closeDescriptors(from first: CInt) {
        _ = mesher_close_from(first)
    }

    /// No program that this process executes gets a descriptor from one on. The corresponding C function is `close_range`,
    /// of Linux 5.11.
    package static func keepFromPrograms(from first: CInt) {
        _ = mesher_keep_from_programs(first)
    }

    /// The command line without the program's name. Swift's own needs /proc and finds no arguments without it.
    package static var arguments: [String] {
        var result: [String] = []
        while let argument = mesher_argument(CInt(truncatingIfNeeded: result.count + 1)) {
            result.append(String(cString: argument))
        }
        return result
    }

    /// The path of the program that this process executes, with all links resolved; nil when it is gone. The
    /// corresponding C functions are `getauxval` and `realpath`: no /proc is needed.
    package static func programPath() -> String? {
        guard let executed = mesher_executed_path(), let path = realpath(executed, nil) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }

    /// No program that this process executes can have more rights than it has. The corresponding C function is `prctl` with
    /// `PR_SET_NO_NEW_PRIVS`.
    package static func forbidNewPrivileges() {
        _ = mesher_set_no_new_privileges()
    }

    /// Limits a resource for good. The corresponding C function is `setrlimit`.
    package static func limit(_ resource: __rlimit_resource, to value: rlim_t) {
        var limit = rlimit(rlim_cur: value, rlim_max: value)
        setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
    }

    /// Limits a resource so that the limit can be raised again.
    package static func limit(_ resource: __rlimit_resource, softlyTo value: rlim_t) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(value, limit.rlim_max)
        setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
    }

    /// When woken, this process does not preempt the running one, so batches grow. Without the right nothing changes.
    /// The corresponding C function is `sched_setscheduler` with `SCHED_BATCH`.
    package static func useBatchScheduling() {
        _ = mesher_use_batch_scheduling()
    }

    /// Gets a tenth of a processor that another process wants too. The corresponding C function is `nice`.
    package static func yieldToOthers() {
        _ = nice(10)
    }

    /// Runs from now on only when no other process wants the processor. The corresponding C function is
    /// `sched_setscheduler` with `SCHED_IDLE`.
    package static func yieldToAll() {
        _ = mesher_use_idle_scheduling()
    }

    /// Returns the memory of large bodies to the kernel when it is freed. The corresponding C function is `mallopt`
    /// with `M_MMAP_THRESHOLD`.
    package static func returnLargeMemory() {
        mesher_return_large_memory()
    }

    /// Returns freed memory to the kernel, even if memory after it is in use. The corresponding C function is
    /// `malloc_trim`.
    package static func trimMemory() {
        mesher_trim_memory()
    }

    /// A write to a peer that has gone fails with EPIPE instead of ending the process, signal(7).
    package static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// Raises the number of descriptors this process may have open, `RLIMIT_NOFILE`, to the hard limit: the usual 1,024 are
    /// few.
    ///
    /// - Returns: the limit in force. The corresponding C functions are `getrlimit` and `setrlimit`.
    package static func raiseDescriptorLimit() -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return 1024 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        return Int(clamping: setrlimit(resource, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur)
    }
}
