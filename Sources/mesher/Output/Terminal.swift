internal import Glibc
internal import System

/// The person who has typed a command.
enum Terminal {
    /// Whether somebody can be asked. What is not a terminal is never read.
    static var isThere: Bool { isatty(STDIN_FILENO) == 1 }

    /// Asks until an answer will do.
    ///
    /// - Parameters:
    ///   - default: what an empty answer means, and is shown.
    ///   - isSecret: whether the terminal does not show what is typed.
    ///   - accept: what an answer means. Its error is shown, and the question comes again.
    /// - Throws: `CommandError` at the end of the input.
    static func ask<Answer>(
        _ question: String, default: String = "", isSecret: Bool = false,
        accept: (String) throws(CommandError) -> Answer
    ) throws(CommandError) -> Answer {
        while true {
            let prompt = question + (`default`.isEmpty ? "" : " [\(`default`)]") + ": "
            guard let line = isSecret ? readHidden(prompt) : read(prompt) else {
                print("")
                throw CommandError(.usage, "nothing was done: the input has ended")
            }
            let answer = trimmed(line)
            do throws(CommandError) {
                return try accept(answer.isEmpty ? `default` : answer)
            } catch {
                print(error.description)
            }
        }
    }

    /// Spaces around a path or an URL are pasted along with it.
    static func trimmed(_ line: String) -> String {
        let rest = line.drop { $0.isWhitespace }
        return String(rest.reversed().drop { $0.isWhitespace }.reversed())
    }

    private static func read(_ prompt: String) -> String? {
        print(prompt, terminator: "")
        fflush(nil)
        return readLine()
    }

    /// Reads a line that is not shown. The corresponding C function is `getpass`.
    ///
    /// What would end or stop the program waits until the terminal is as it was, which a shell may not see to.
    private static func readHidden(_ prompt: String) -> String? {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
        var hidden = before
        hidden.c_lflag &= ~tcflag_t(ECHO)
        hidden.c_lflag |= tcflag_t(ECHONL)
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        guard let signals = try? SignalDescriptor([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP]) else { return nil }
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        print(prompt, terminator: "")
        fflush(nil)
        var ready = [STDIN_FILENO, signals.number].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while poll(&ready, 2, -1) < 0, errno == EINTR {}
        let line = ready[1].revents == 0 ? readLine() : nil
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
        // Now it ends the program.
        pthread_sigmask(SIG_SETMASK, &mask, nil)
        return line
    }
}
