import Foundation
import Testing

/// What gives a process a numbering of processes, and a mount table, of its own.
private enum Namespaces {
    static let command = ["unshare", "--pid", "--fork", "--kill-child", "--mount"]
    static let areAllowed: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command + ["true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()
}

/// The watchdog as process 1, which it is in a container that has no init.
@Suite(.enabled(if: Namespaces.areAllowed, "needs the right to make namespaces"))
struct FirstProcessTests {
    /// What becomes of /proc before the watchdog starts.
    enum Proc: String, CaseIterable {
        case own = "mount -t proc none /proc"
        case none = "mount -t tmpfs none /proc"
        /// It numbers processes as the host does.
        case host = "true"
    }

    private func prefix(_ proc: Proc) -> [String] {
        Namespaces.command + ["sh", "-c", proc.rawValue + #" && exec "$0" "$@""#]
    }

    @Test("Its children live, with /proc and without, and it stops them in order", arguments: Proc.allCases)
    func childrenLive(proc: Proc) throws {
        let folder = URL(fileURLWithPath: WatchdogProcess.program).deletingLastPathComponent().path
        let watchdog = try WatchdogProcess(
            ["MESHER_WORKERS=1", "MESHER_BIN=\(folder)", "MESHER_STORAGE_DATABASE_URL=postgresql:///none?host=/none"],
            prefix: prefix(proc))
        let areReady = watchdog.eventually { watchdog.log.components(separatedBy: "child ready").count == 5 }
        #expect(areReady, "\(watchdog.log)")
        #expect(!watchdog.log.contains("child ended"))
        kill(try #require(children(of: watchdog.pid).first), SIGTERM)
        #expect(watchdog.awaitExit() == 0, "\(watchdog.log)")
    }

    @Test("What is left to it by processes that ended does not stay as a zombie")
    func reapsOrphans() throws {
        let child = #"""
            #!/bin/sh
            echo >&"$MESHER_READY_FD"
            (sleep 1 & sleep 1 &)
            exec sleep 1000
            """#
        let watchdog = try WatchdogProcess(storage: child, ["MESHER_WORKERS=1"], prefix: prefix(.own))
        #expect(watchdog.eventually { !children(of: watchdog.pid).isEmpty })
        let first = try #require(children(of: watchdog.pid).first)
        // Storage, a worker, the one for bulk, and the listener for streams.
        #expect(watchdog.eventually { children(of: first).count > 4 }, "there are orphans")
        #expect(watchdog.eventually { children(of: first).count == 4 }, "they are gone")
        kill(first, SIGTERM)
        #expect(watchdog.awaitExit() == 0)
    }

    private func children(of pid: pid_t) -> [pid_t] {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
        return text.split(separator: " ").compactMap { pid_t($0) }
    }
}
