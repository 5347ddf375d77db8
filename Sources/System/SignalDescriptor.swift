internal import CSystem
internal import Glibc

/// Signals as something to wait on instead of something that interrupts. The corresponding C functions are
/// `sigprocmask` and `signalfd`.
package struct SignalDescriptor: ~Copyable {
    private let descriptor: Descriptor

    /// Blocks the signals and opens a descriptor that is readable while one is pending. Never name a signal that a
    /// fault raises (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS): blocked, it stays pending and nothing dies.
    package init(_ signals: [CInt]) throws(SystemError) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        guard sigprocmask(SIG_BLOCK, &set, nil) == 0 else { throw SystemError("sigprocmask") }
        // One that the parent ignored (nohup, a shell's trap) is inherited so, and would never become pending.
        for number in signals { signal(number, SIG_DFL) }
        let number = signalfd(-1, &set, CInt(SFD_CLOEXEC) | CInt(SFD_NONBLOCK))
        guard number >= 0 else { throw SystemError("signalfd") }
        descriptor = Descriptor(adopting: number)
    }

    package var number: CInt { descriptor.number }

    /// The next pending signal, nil when there is none.
    package func next() -> CInt? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard read(descriptor.number, &information, size) == size else { return nil }
        return CInt(information.ssi_signo)
    }
}
