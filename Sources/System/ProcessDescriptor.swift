internal import CSystem
internal import Glibc

/// A child process as something to wait on: readable when it has ended. The corresponding C functions are `pidfd_open` and
/// `waitpid`.
package struct ProcessDescriptor: ~Copyable {
    package let pid: CInt
    private let descriptor: Descriptor

    /// How a process ended.
    package enum Ending: Equatable, Sendable, CustomStringConvertible {
        case exited(CInt)
        case killed(CInt)

        /// What the macros of wait(2) say of a status.
        init(status: CInt) {
            let signal = mesher_termination_signal(status)
            self = signal == 0 ? .exited(mesher_exit_status(status)) : .killed(signal)
        }

        package var description: String {
            switch self {
            case .exited(let status): "exit status \(status)"
            case .killed(let signal): "signal \(signal)"
            }
        }
    }

    /// - Parameter pid: a child of this process that was not yet waited for.
    package static func open(_ pid: CInt) throws(SystemError) -> ProcessDescriptor {
        let number = mesher_pidfd_open(pid)
        guard number >= 0 else { throw SystemError("pidfd_open") }
        return ProcessDescriptor(pid: pid, descriptor: Descriptor(adopting: number))
    }

    package var number: CInt { descriptor.number }

    /// Takes the status of some child that has ended, nil when none has. The corresponding C function is `waitpid`.
    package static func reapAny() -> (pid: CInt, ending: Ending)? {
        var status: CInt = 0
        let pid = waitpid(-1, &status, WNOHANG)
        return pid > 0 ? (pid, Ending(status: status)) : nil
    }

    /// Takes the status of every child that has ended before one of those that are known has: a process that is number 1, or
    /// whoever else adopts orphans, is to take leave of them. The corresponding C functions are `waitid` and `waitpid`.
    ///
    /// - Parameter isKnown: whether the child is waited for elsewhere.
    package static func reapOrphans(butFor isKnown: (CInt) -> Bool) {
        while true {
            let pid = mesher_ended_child()
            guard pid > 0, !isKnown(pid), waitpid(pid, nil, WNOHANG) == pid else { return }
        }
    }

    /// Takes the status of the process when it has ended, nil when it has not; its number is free afterwards.
    package func reap() -> Ending? {
        var status: CInt = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
        return Ending(status: status)
    }
}
