internal import Glibc
internal import System

/// The watchdog of a run directory, which holds a lock on `watchdog.pid` as long as it lives.
struct RunningWatchdog {
    let pid: pid_t

    /// Who holds the lock.
    private enum Holder {
        case nobody
        case watchdog(pid_t)
        /// A process that is no watchdog here: the number is one of another PID namespace.
        case elsewhere(pid_t)
    }

    /// - Throws: `CommandError` when none is running that can be reached, `SystemError` when that cannot be told.
    init(in runDirectory: String) throws {
        let path = runDirectory + "/watchdog.pid"
        switch try Self.holder(of: path) {
        case .watchdog(let pid): self.pid = pid
        case .nobody: throw CommandError(.unavailable, "\(path): no watchdog is running; systemctl start mesher")
        case .elsewhere(let pid):
            throw CommandError(
                .unavailable, "\(path): process \(pid) is no watchdog here; run mesher inside the watchdog's container")
        }
    }

    /// Whether one is running, here or in another PID namespace.
    static func isRunning(_ runDirectory: String) -> Bool {
        switch try? holder(of: runDirectory + "/watchdog.pid") {
        case .watchdog, .elsewhere: true
        case .nobody, nil: false
        }
    }

    /// Asked often, so it does not try the lock, which a watchdog that is just starting wants.
    var isRunning: Bool {
        kill(pid, 0) == 0 || errno == EPERM
    }

    /// Whether somebody has sent it SIGSTOP, which is the state T of /proc/PID/stat, proc(5).
    var isStopped: Bool {
        guard let file = fopen("/proc/\(pid)/stat", "re") else { return false }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = fread(&bytes, 1, 64, file)
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        return text.contains(") T ")
    }

    /// The corresponding C function is `kill`.
    func signal(_ number: CInt) throws {
        guard kill(pid, number) == 0 else { throw SystemError("kill", "\(pid)") }
    }

    /// The number in the file may be another process's once nobody holds the lock. The corresponding C function is `flock`.
    private static func holder(of path: String) throws -> Holder {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else {
            if errno == ENOENT { return .nobody }
            throw SystemError("open", path)
        }
        let file = Descriptor(adopting: number)
        if flock(file.number, LOCK_SH | LOCK_NB) == 0 { return .nobody }
        guard errno == EWOULDBLOCK else { throw SystemError("flock", path) }
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = read(file.number, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(count, 0)).prefix { $0 != 0x0a }, as: UTF8.self)
        guard let pid = pid_t(text), pid > 0 else { return .nobody }
        return isWatchdog(pid) ? .watchdog(pid) : .elsewhere(pid)
    }

    /// A container numbers processes by itself: what is 1 there is another process here. Without /proc nothing can be said,
    /// and process 1 is left alone. The corresponding file is /proc/PID/comm, proc(5).
    private static func isWatchdog(_ pid: pid_t) -> Bool {
        let number = open("/proc/\(pid)/comm", O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return pid > 1 }
        let file = Descriptor(adopting: number)
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = read(file.number, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(count, 0)).prefix { $0 != 0x0a }, as: UTF8.self) == "mesher-watchdog"
    }
}
