internal import Glibc
internal import Synchronization

/// A shell script that has a folder of its own and runs a server in it: `$1` is the folder. The server ends, and the
/// folder goes, when this is lost or the test process ends in whatever way.
package final class SupervisedScript: Sendable {
    /// Short, since a unix socket's path holds 107 bytes.
    package let folder: String
    private let process: ChildProcess
    /// The end of a pipe, while it is open.
    private let lifeline: Mutex<CInt?>

    /// - Parameters:
    ///   - script: starts the server in the background as its last command, with nothing on standard input.
    ///   - user: as whom it runs when this process is root's.
    ///   - signal: what ends the server.
    package init(_ script: String, name: String, user: String? = nil, signal: String = "TERM") throws {
        folder = "/tmp/mesher-\(name).\(UInt32.random(in: .min ... .max))"
        var command = ["/bin/sh", "-c", Self.prologue + script + Self.epilogue, "sh", folder, signal]
        if let user, geteuid() == 0 {
            command = ["/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(user)", "--init-groups"] + command
        }
        let ends = ChildProcess.pipe()
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer {
            close(ends.read)
            close(nothing)
        }
        lifeline = Mutex(ends.write)
        let path = getenv("PATH").map { "PATH=" + String(cString: $0) } ?? "PATH=/usr/bin:/bin"
        process = try ChildProcess(command, environment: [path], descriptors: [ends.read, nothing, nothing])
    }

    deinit {
        stop()
    }

    package var isRunning: Bool { process.isRunning }

    /// Ends the server and waits for that.
    package func stop() {
        lifeline.withLock { end in
            if let number = end { close(number) }
            end = nil
        }
        process.wait()
    }

    private static let prologue = """
        cd /
        mkdir -m 700 "$1" && chmod 711 "$1" || exit 1
        trap 'rm -rf "$1"' EXIT
        trap : INT TERM

        """

    /// Waits for the end of standard input, which comes with the end of the process that holds the other end.
    private static let epilogue = """

        cat
        kill -"$2" $!
        wait $!
        """
}
