internal import Configuration
internal import Glibc
internal import Scoreboard
internal import System

/// A WebSocket session as the operator sees it.
struct RunningSession {
    let reading: SessionReading
    /// Bytes that it holds, with its share of what processes have in common; nil when it has ended or this user may not
    /// know.
    let memory: Int64?

    /// All whose upgrade was answered, the oldest first.
    ///
    /// - Throws: `CommandError` when their table cannot be read.
    static func all(_ settings: Settings) throws(CommandError) -> [RunningSession] {
        let directory = settings.text(.runDirectory)
        guard let table = SessionTable.open(in: directory) else {
            let path = SessionTable.path(in: directory)
            if access(path, F_OK) == 0 {
                throw CommandError(.notPermitted, "\(path): run this as root or as the service's user")
            }
            throw CommandError(.unavailable, "\(path): no watchdog is running; systemctl start mesher")
        }
        return table.readings().filter(\.isOpen).sorted { ($0.since, $0.pid) < ($1.since, $1.pid) }
            .map { RunningSession(reading: $0, memory: proportionalMemory(of: $0.pid)) }
    }

    /// As one of the processes of the status.
    var json: JSON {
        .object([
            "role": .string("session"), "name": .string("session"), "pid": .integer(Int64(reading.pid)),
            "state": .string("ready"), "project": .integer(reading.project),
            "peer": .string(reading.peer), "started_at": .verbatim("\(Double(reading.since) / 1e6)"),
            "messages": .integer(Int64(clamping: reading.messages)),
            "events": .integer(Int64(clamping: reading.events)), "memory_bytes": .optional(memory),
        ])
    }

    /// The line `Pss` of /proc/PID/smaps_rollup, proc(5), in bytes.
    private static func proportionalMemory(of pid: Int32) -> Int64? {
        let number = open("/proc/\(pid)/smaps_rollup", O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let file = Descriptor(adopting: number)
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(file.number, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Pss:") }),
            let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int64($0) })
        else { return nil }
        return kilobytes << 10
    }
}
