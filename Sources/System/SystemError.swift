internal import Glibc

/// A system call that failed: which one, on what, and the kernel's reason.
package struct SystemError: Error, CustomStringConvertible {
    package let operation: StaticString
    package let subject: String
    /// The value of `errno`, from errno(3).
    package let code: CInt

    package init(_ operation: StaticString, _ subject: String = "", code: CInt? = nil) {
        self.operation = operation
        self.subject = subject
        self.code = code ?? errno
    }

    package var description: String {
        let reason = String(cString: strerror(code))
        return subject.isEmpty ? "\(operation): \(reason)" : "\(operation) \(subject): \(reason)"
    }
}
