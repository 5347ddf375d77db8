import Glibc

/// What a system call returns, made again when a signal has interrupted it: of a socket with a timeout, and of poll, the system
/// does not do so itself, signal(7).
package func uninterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
