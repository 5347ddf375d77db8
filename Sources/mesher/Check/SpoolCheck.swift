internal import Configuration
internal import Glibc
internal import PostgreSQL
internal import Spool
internal import StorageChannel
internal import System

/// What is on this host's disk instead of in PostgreSQL.
struct SpoolCheck {
    private static let subject = "spool"
    /// From this percentage of its limit on it counts as nearly full.
    private static let nearlyFull = 80

    private let settings: Settings

    init(_ settings: Settings) {
        self.settings = settings
    }

    func findings() -> [Finding] {
        let directory = settings.spoolDirectory
        guard settings.integer(.spoolLimit) > 0 else {
            return [.good(Self.subject, "disabled: events that PostgreSQL does not take are refused")]
        }
        guard access(directory, F_OK) == 0 else { return [notMade(directory)] }
        guard access(directory, R_OK | W_OK | X_OK) == 0 else {
            let text = "\(directory): \(String(cString: strerror(errno)))"
            let advice = "run this as root or as the service's user, who must own the directory"
            return [.fault(Self.subject, text, advice: advice)]
        }
        do throws(SystemError) {
            return findings(try SpoolInspection(settings))
        } catch {
            return [
                .fault(Self.subject, error.description, advice: "make the service's user the owner of the directory")
            ]
        }
    }

    /// Storage makes it, but not what is above it.
    private func notMade(_ directory: String) -> Finding {
        let parent = directory.lastIndex(of: "/").map { String(directory[..<$0]) } ?? "."
        guard access(parent, W_OK | X_OK) != 0 else { return .good(Self.subject, "\(directory): not used yet") }
        let text = "\(parent): \(String(cString: strerror(errno)))"
        return .fault(
            Self.subject, text, advice: "create it with mode 700 for the service's user, or correct MESHER_STATE_DIR")
    }

    /// What the file system has too little of: the limit promises what it may not hold.
    private func lack(in directory: String, needed: Int64) -> Finding? {
        guard let room = SpoolRoom(of: directory) else { return nil }
        if room.files == 0 {
            return .fault(Self.subject, "\(directory): no inodes left", advice: "free some on that file system")
        }
        guard room.bytes < UInt64(needed) else { return nil }
        return .fault(
            Self.subject, "\(directory): \(room.bytes >> 20) MiB are free, and it may need \(needed >> 20) MiB more",
            advice: "free space, or lower MESHER_SPOOL_LIMIT to what is available")
    }

    /// Events of as many of the oldest are looked at.
    private static let lookedAt = 1_000

    /// Whether the service, once it starts, would deliver events into the database of others. A service that runs decides that
    /// for each event, and sets aside what is not the database's.
    private func origin(_ spool: SpoolInspection) -> Finding? {
        guard !spool.isInUse, let piece = try? spool.segments.first?.piece(at: 0, events: Self.lookedAt) else {
            return nil
        }
        let projects = piece.bytes.withUnsafeBytes { bytes in
            Set(piece.records.compactMap { RecordHead(UnsafeRawBufferPointer(rebasing: bytes[$0]))?.project })
        }
        do throws(DatabaseError) {
            let connection = try Connection.open(settings.text(.storageDatabaseURL), applicationName: "mesher check")
            guard let fault = try SpoolOrigin(settings).fault(projects, on: connection) else { return nil }
            return .fault(
                Self.subject, "its events may be of another database: \(fault)",
                advice: "correct MESHER_STORAGE_DATABASE_URL, or expect events in the quarantine once the service runs")
        } catch {
            // Told by the checks of PostgreSQL and of storage's role.
            return nil
        }
    }

    private func findings(_ spool: SpoolInspection) -> [Finding] {
        var findings: [Finding] = []
        let isNearlyFull = spool.bytes / 100 * 100 >= spool.limit / 100 * Self.nearlyFull
        if isNearlyFull {
            findings.append(
                .fault(
                    Self.subject, "\(spool.bytes) of \(spool.limit) bytes are used",
                    advice:
                        "see the findings about PostgreSQL; events are refused when the spool is full: raise MESHER_SPOOL_LIMIT"
                ))
        }
        if let first = spool.segments.first {
            let since = spool.oldest(first).map { ", the oldest from \($0)" } ?? ""
            findings.append(
                .fault(
                    Self.subject, "events wait for PostgreSQL\(since)",
                    advice: "see the findings about PostgreSQL; storage delivers them when it can"))
        }
        if let origin = origin(spool) { findings.append(origin) }
        for case .version(_, let path)? in spool.segments.map(\.fault) {
            findings.append(
                .fault(
                    Self.subject, "\(path): written by a newer release, its events wait",
                    advice: "upgrade: a release that knows the file delivers it when it starts"))
        }
        if let lack = lack(in: spool.directory, needed: max(0, Int64(spool.limit) - Int64(spool.bytes))) {
            findings.append(lack)
        }
        if findings.isEmpty { findings.append(.good(Self.subject, "\(spool.directory): empty")) }
        if spool.quarantined > 0 {
            findings.append(
                .fault(
                    "quarantine", "\(spool.quarantined) items are set aside",
                    advice: "mesher quarantine list says why; retry or drop them"))
        }
        return findings
    }
}
