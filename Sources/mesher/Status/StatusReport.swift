internal import Glibc

/// The status for people: a table of the processes, then lines about the whole.
struct StatusReport: CustomStringConvertible {
    /// From here on it is worth a remark that a process handles one request, in seconds.
    private static let longExecution = 1.0

    private let document: StatusDocument
    private let now: Double

    /// - Parameter now: seconds since 1970.
    init(_ document: StatusDocument, now: Double) {
        self.document = document
        self.now = now
    }

    var description: String {
        var table = TextTable([
            "ROLE": .left, "NAME": .left, "PID": .right, "STATE": .left, "UP SINCE": .left, "RESTARTS": .right,
            "REQUESTS/S": .right, "IN FLIGHT": .right, "MEMORY": .right,
        ])
        for process in document.processes {
            table.append([
                process.role, process.name, process.pid.map { String($0) }, state(of: process),
                process.pid == nil ? nil : process.startedAt.map(Self.time), String(process.restarts),
                String(process.requestsPerSecond), String(process.inHand), process.memoryBytes.map(Self.megabytes),
            ])
        }
        return "\(table)\n\n" + lines.map { TextTable.printable($0) + "\n" }.joined()
    }

    private var lines: [String] {
        var lines = ["events      accepted \(document.events.accepted)", "            discarded \(discarded)"]
        let dependencies = document.dependencies.sorted { $0.key < $1.key }.map { "\($0) \($1 ? "up" : "DOWN")" }
        if !dependencies.isEmpty { lines.append("needs       " + dependencies.joined(separator: ", ")) }
        let degraded = document.storage.degraded.joined(separator: ", ")
        let without = degraded.isEmpty ? "" : ", DEGRADED: \(degraded)"
        lines.append("ready       \(document.storage.ready ? "yes" : "NO")\(without)")
        lines.append("storage     " + storage)
        if let spool = document.storage.spool { lines.append("spool       " + text(of: spool)) }
        let sessions = document.processes.filter { $0.role == "stream" }.reduce(0) { $0 &+ $1.inHand }
        lines.append("streams     \(sessions) \(sessions == 1 ? "session" : "sessions")")
        for (subject, health) in document.health.sorted(by: { $0.key < $1.key }) {
            let result = health.failuresInRow == 0 ? "good" : "FAILED \(health.failuresInRow) times in a row"
            let milliseconds = (health.duration * 10_000).rounded() / 10
            lines.append("check       \(subject): \(result), \(milliseconds) ms, \(age(health.at)) ago")
        }
        if let reload = document.lastReload {
            lines.append("reload      \(reload.succeeded ? "succeeded" : "FAILED") at \(Self.time(reload.at))")
        }
        return lines
    }

    private var discarded: String {
        let reasons = document.events.discarded.filter { $0.value > 0 }
            .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let total = reasons.reduce(0) { $0 &+ $1.value }
        guard total > 0 else { return "0" }
        return "\(total) (" + reasons.map { "\($0.key) \($0.value)" }.joined(separator: ", ") + ")"
    }

    private var storage: String {
        let commit = document.storage.lastCommitAt.map { "last commit \(age($0)) ago" } ?? "no commit yet"
        return commit + (document.storage.partitionsAhead.map { ", partitions for \($0) days ahead" } ?? "")
    }

    private func text(of spool: StatusDocument.Spool) -> String {
        guard spool.limitBytes > 0 else { return "none" }
        let events = spool.events == 0 ? "empty" : "\(spool.events) events"
        let oldest = spool.oldestReceivedAt.map { ", the oldest \(age($0)) old" } ?? ""
        let size = ", \(Self.megabytes(spool.bytes)) of \(Self.megabytes(spool.limitBytes))"
        let quarantine = spool.quarantine > 0 ? ", QUARANTINE \(spool.quarantine)" : ""
        return events + oldest + size + quarantine + lack(of: spool) + (spool.fault.map { ", UNUSABLE: \($0)" } ?? "")
    }

    /// What its file system has too little of.
    private func lack(of spool: StatusDocument.Spool) -> String {
        if spool.availableInodes == 0 { return ", NO INODES LEFT" }
        guard let left = spool.availableBytes, left < spool.limitBytes - min(spool.bytes, spool.limitBytes) else {
            return ""
        }
        return ", ONLY \(Self.megabytes(left)) LEFT ON DISK"
    }

    private func state(of process: StatusDocument.Process) -> String {
        if let startsAt = process.startsAt { return "\(process.state) \(Self.whole((startsAt - now).rounded(.up))) s" }
        if let seconds = process.executingFor, seconds > Self.longExecution {
            return "\(process.state), executing for \(Self.whole(seconds)) s"
        }
        return process.state
    }

    /// How long ago, in the largest unit that fits.
    private func age(_ moment: Double) -> String {
        let seconds = Self.whole(now - moment)
        return switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) days"
        }
    }

    /// Seconds that a file names, which may be any number; none are below 0, or of a year with more than four digits.
    static func whole(_ seconds: Double) -> Int {
        Int(min(max(seconds, 0), 253_402_300_799))
    }

    /// UTC, to the second.
    static func time(_ moment: Double) -> String {
        var seconds = time_t(whole(moment))
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var bytes = [CChar](repeating: 0, count: 32)
        let count = strftime(&bytes, bytes.count, "%Y-%m-%d %H:%M:%SZ", &parts)
        return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func megabytes(_ bytes: Int64) -> String {
        "\((Double(bytes) / 104_857.6).rounded() / 10) MiB"
    }
}
