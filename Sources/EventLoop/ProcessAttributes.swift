internal import CSystem
internal import Glibc

/// What a process asks of the kernel for itself.
package enum ProcessAttributes {
    /// A supervised process ends with its supervisor, which may die of SIGKILL. The corresponding C function is `prctl` with
    /// `PR_SET_PDEATHSIG`. Outside of supervision nothing happens.
    package static func dieWithParent() {
        guard ReadySignal.isSupervised else { return }
        _ = mesher_set_parent_death_signal(SIGKILL)
        // It died before the line above: init has adopted this process.
        if getppid() == 1 { exit(EX_TEMPFAIL) }
    }

    /// Once woken, this process does not preempt the one that runs: batches grow. Without the right to it nothing changes.
    /// The corresponding C function is `sched_setscheduler` with `SCHED_BATCH`.
    package static func useBatchScheduling() {
        _ = mesher_use_batch_scheduling()
    }

    /// A write to a peer that has gone fails with EPIPE instead of ending the process, signal(7).
    package static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }
}
