internal import Configuration
internal import Glibc
internal import Scoreboard
internal import System

/// What the operator can read while the service runs: `metrics` (Prometheus text format 0.0.4) and `status.json` in the
/// run directory, written every second. They are files so that they can be served when no worker answers.
struct StatusPage {
    /// Nanoseconds between two writes.
    static let interval: Int64 = 1_000_000_000

    private let scoreboard: ScoreboardFile
    private let sessions: SessionTable
    private let directory: String
    private let ownSlot: Int?
    /// When it has to be written again, in nanoseconds of the monotonic clock.
    private(set) var due: Int64 = 0
    private let lines: RecentLines
    private var past = RecentPast()
    private var sessionMemory = SessionMemory()
    private var previous: (moment: Int64, requests: [Int: UInt64])?

    /// Takes a slot for the watchdog itself, so that it is listed with the others.
    ///
    /// - Parameter lines: of the log, as they come.
    init(_ scoreboard: ScoreboardFile, _ sessions: SessionTable, directory: String, lines: RecentLines = RecentLines())
    {
        self.scoreboard = scoreboard
        self.sessions = sessions
        self.directory = directory
        self.lines = lines
        ownSlot = scoreboard.claim(.watchdog, name: "watchdog")?.slot
        if let ownSlot {
            scoreboard.started(ownSlot, pid: getpid(), wall: Clock.wall())
            scoreboard.set(.ready, of: ownSlot)
        }
    }

    /// The service is ending.
    func stopping() {
        if let ownSlot { scoreboard.set(.stopping, of: ownSlot) }
    }

    /// Writes both files.
    ///
    /// - Throws: `SystemError` that names the file; the old file stays then, and the next write is due as usual.
    mutating func write(now: Int64) throws(SystemError) {
        due = now + Self.interval
        let content = content(now: now)
        try ReplacedFile.write(content.metrics, to: directory + "/metrics", mode: 0o644)
        try ReplacedFile.write(content.json, to: directory + "/status.json", mode: 0o644)
    }

    /// Removes both files: nothing they describe is running any more.
    func remove() {
        for name in ["metrics", "status.json"] { unlink("\(directory)/\(name)") }
    }

    private mutating func content(now: Int64) -> StatusPageContent {
        let readings = scoreboard.readings()
        let requests = Dictionary(
            readings.map { ($0.index, $0.requestCount) }, uniquingKeysWith: { first, _ in first })
        let seconds = previous.map { Double(max(now - $0.moment, 1)) / 1e9 }
        let processes = readings.filter { $0.state != .ended }.map { reading in
            let rate = seconds.map { seconds in
                Double(reading.requestCount &- (previous?.requests[reading.index] ?? 0)) / seconds
            }
            return StatusPageContent.Process(
                reading: reading, requestsPerSecond: rate ?? 0, memory: Self.residentMemory(of: reading.pid))
        }
        previous = (now, requests)
        if let totals = StatusPageContent.totals(of: readings) { past.note(totals, now: now) }
        let held = SessionShare(processors: sysconf(CInt(_SC_NPROCESSORS_ONLN))).heldBack(sessions.recentUse(now: now))
        sessionMemory.sample(
            records: sessions.recordCount, process: sessions.process(ofRecord:), memory: SessionMemory.proportional)
        let openSessions = processes.filter { $0.reading.role == .stream }.reduce(0) { $0 + $1.reading.inHand }
        let health = HealthSubject.allCases.compactMap { subject in
            scoreboard.health(subject).map { (subject, $0) }
        }
        return StatusPageContent(
            version: Release.version, wall: Clock.wall(), now: now, readings: readings, processes: processes,
            sessions: StatusPageContent.Sessions(
                claimed: sessions.claimed, memory: sessionMemory.total(of: openSessions),
                heldBack: held.filter { $0 != 0 }),
            hasSocket: access(directory + "/events.sock", F_OK) == 0,
            health: health, lastReload: scoreboard.lastReload,
            lastMaintenance: MaintenanceRecord.read(in: directory), past: past, lines: lines.all)
    }

    /// The resident bytes of a process, from /proc/PID/statm, proc(5); nil when it has ended.
    static func residentMemory(of pid: pid_t) -> Int? {
        guard pid > 0 else { return nil }
        let number = open("/proc/\(pid)/statm", O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let file = Descriptor(adopting: number)
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = read(file.number, &bytes, bytes.count)
        let words = bytes.prefix(max(count, 0)).split(separator: UInt8(ascii: " "))
        guard words.count > 1, let pages = Int(String(decoding: words[1], as: UTF8.self)) else { return nil }
        return pages * sysconf(CInt(_SC_PAGESIZE))
    }
}
