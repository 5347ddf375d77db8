internal import CSystem
internal import Glibc

/// An open file descriptor, closed when it is lost. The corresponding C function is `close`.
package struct Descriptor: ~Copyable {
    package let number: CInt

    package init(adopting number: CInt) {
        self.number = number
    }

    deinit {
        close(number)
    }

    /// Gives the descriptor away; the caller closes it.
    package consuming func release() -> CInt {
        let number = number
        discard self
        return number
    }

    /// Makes reads and writes wait, or fail with EAGAIN. The corresponding C function is `fcntl` with `O_NONBLOCK`.
    package func setBlocking(_ blocking: Bool) throws(SystemError) {
        guard mesher_set_blocking(number, blocking ? 1 : 0) == 0 else { throw SystemError("fcntl") }
    }
}
