internal import Configuration
internal import Glibc
internal import Logging
internal import Scoreboard
internal import System

/// The files of the run directory by which others reach the service. Emptying the directory makes the service
/// unreachable, though all processes live.
struct RunFiles {
    /// A file must be missing this many times in a row: storage has none for a moment while it is replaced.
    static let patience = 3

    private var misses: [String: Int] = [:]

    /// Checks files that must exist, even if one was removed before the first check.
    ///
    /// - Returns: those that are gone for good.
    mutating func look(at paths: [String], isThere: (String) -> Bool) -> [String] {
        paths.filter { path in
            misses[path] = isThere(path) ? 0 : misses[path, default: 0] + 1
            return misses[path] == Self.patience
        }
    }
}

extension Watchdog {
    /// Checks the files that this process and its children have created. When one is gone the watchdog restarts, which
    /// recreates them; nobody who needs the file is served meanwhile anyway. Files of systemd only systemd can
    /// recreate.
    mutating func lookAtFiles(now: Int64) -> CInt? {
        guard supervisor.stopSequence == nil else { return nil }
        let directory = settings.text(.runDirectory)
        var paths = [directory + "/watchdog.pid", ScoreboardFile.path(in: directory)] + sockets.paths
        if supervisor.isServing, !supervisor.isReloading { paths.append(directory + "/storage.sock") }
        let gone = runFiles.look(at: paths + sockets.passedPaths) { access($0, F_OK) == 0 }
        let foreign = gone.filter { sockets.passedPaths.contains($0) }
        if !foreign.isEmpty {
            log.error(
                "a socket that systemd holds was removed: systemctl restart mesher.socket mesher.service",
                metadata: ["files": "\(foreign.joined(separator: ", "))"])
        }
        guard gone.count > foreign.count else { return nil }
        log.error(
            "files of the run directory were removed: restarting to recreate them",
            metadata: ["files": "\(gone.joined(separator: ", "))"])
        isStartingAgain = true
        return perform(supervisor.stop(now: now))
    }

    /// Becomes a new watchdog with the same number, command line, environment and passed sockets; returns only when that
    /// fails. The corresponding C function is `execv`.
    func startAgain() {
        for number in sockets.passedNumbers { _ = fcntl(number, F_SETFD, 0) }
        guard let path = ProcessAttributes.programPath() else { return }
        let words = (["mesher-watchdog"] + ProcessAttributes.arguments).map { strdup($0) }
        // A signal that is ignored or blocked stays so.
        var none = sigset_t()
        sigemptyset(&none)
        sigprocmask(SIG_SETMASK, &none, nil)
        execv(path, words + [nil])
    }
}
