internal import Glibc
internal import Synchronization

/// A program that was started. The corresponding C functions are `posix_spawn` and `waitpid`.
final class ChildProcess: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Held while a pipe is made that no child may inherit, and while a child is made.
    private static let spawning = Mutex(())

    private let identifier: pid_t
    private let ended = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - arguments: the program's path, then what it is told.
    ///   - environment: `NAME=value` each; all it gets.
    ///   - descriptors: its standard input, output and error.
    init(_ arguments: [String], environment: [String], descriptors: [CInt]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, source) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, source, CInt(target))
        }
        // What runs the tests may ignore SIGINT, as a shell does for what it runs in the background.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let words = arguments.map { strdup($0) } + [nil]
        let variables = environment.map { strdup($0) } + [nil]
        defer { for word in words + variables { free(word) } }
        var identifier: pid_t = 0
        let code = Self.spawning.withLock { _ in
            posix_spawn(&identifier, arguments[0], &actions, &attributes, words, variables)
        }
        guard code == 0 else { throw Failure(description: "\(arguments[0]): \(String(cString: strerror(code)))") }
        self.identifier = identifier
    }

    /// A pipe whose ends, reading and writing, are not inherited. The corresponding C function is `pipe2`.
    static func pipe() -> (read: CInt, write: CInt) {
        spawning.withLock { _ in
            var ends: [CInt] = [-1, -1]
            Glibc.pipe(&ends)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return (ends[0], ends[1])
        }
    }

    var isRunning: Bool { take(WNOHANG) == nil }

    func send(_ signal: CInt) {
        // Once it was waited for, its number can be another's.
        ended.withLock { if $0 == nil { kill(identifier, signal) } }
    }

    /// Waits for its end: its exit status, or 128 and the signal that ended it, as sh(1) has it.
    @discardableResult
    func wait() -> Int32 {
        while true {
            if let status = take(0) { return status }
        }
    }

    private func take(_ options: CInt) -> Int32? {
        ended.withLock { ended in
            if let status = ended { return status }
            var status: CInt = 0
            guard waitpid(identifier, &status, options) == identifier else { return nil }
            ended = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
            return ended
        }
    }
}
