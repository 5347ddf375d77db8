internal import Configuration
internal import Glibc
internal import PostgreSQL
internal import Schema
internal import Scoreboard
internal import Spool
internal import StorageChannel
internal import System

/// The running service: its sockets, and what storage says of itself.
struct ServiceCheck {
    /// How long storage's answer is waited for, in nanoseconds.
    private static let patience: Int64 = 3_000_000_000
    private static let ticket: UInt64 = 1

    private let settings: Settings

    init(_ settings: Settings) {
        self.settings = settings
    }

    /// A file of the run directory.
    static func path(_ name: String, _ settings: Settings) -> String {
        settings.text(.runDirectory) + "/" + name
    }

    func findings() -> [Finding] {
        let directory = settings.text(.runDirectory)
        guard access(directory, X_OK) == 0 else {
            let text = "\(directory): \(String(cString: strerror(errno)))"
            let advice =
                "start the service (systemctl start mesher), run this as root, or correct MESHER_RUN_DIR "
                + "(now from: \(settings.origin(.runDirectory)))"
            return drain() + [.fault("service", text, advice: advice)]
        }
        return drain() + watchdog(directory) + ["events", "bulk"].map { socket($0, "workers listen") } + storage()
    }

    /// Whether the operator has taken this host out of service.
    private func drain() -> [Finding] {
        guard let order = try? DrainOrder.read(in: settings.text(.stateDirectory)) else { return [] }
        let time = order.at.map { " since \(StatusReport.time(Double($0) / 1e6))" } ?? ""
        let user = order.user.isEmpty ? "" : ", by \(order.user)"
        return [
            .fault(
                "drain", "new events are refused\(time)\(user)",
                advice: "mesher drain says what is left on this host; mesher drain --end takes it back")
        ]
    }

    /// A watchdog that hangs: nothing is replaced then, and status and metrics are old.
    private func watchdog(_ directory: String) -> [Finding] {
        let watchdog = try? RunningWatchdog(in: directory)
        if let watchdog, watchdog.isStopped {
            return [.fault("watchdog", "process \(watchdog.pid) is stopped", advice: "kill -CONT \(watchdog.pid)")]
        }
        var status = stat()
        guard RunningWatchdog.isRunning(directory), stat(directory + "/status.json", &status) == 0,
            Double(time(nil) - status.st_mtim.tv_sec) > StatusDocument.staleAfter
        else { return [] }
        return [
            .fault(
                "watchdog", "status and metrics are \(time(nil) - status.st_mtim.tv_sec) s old",
                advice: "see the service's log (journalctl -u mesher); the run directory's disk may be full")
        ]
    }

    /// Whether somebody listens on a socket of the run directory.
    func socket(_ name: String, _ good: String) -> Finding {
        let path = Self.path("\(name).sock", settings)
        do throws(SystemError) {
            _ = try UnixSocket.connect(to: path)
            return .good("\(name).sock", good)
        } catch {
            return .fault("\(name).sock", error.description, advice: advice(error))
        }
    }

    private func storage() -> [Finding] {
        let subject = "storage.sock"
        let path = Self.path(subject, settings)
        do throws(SystemError) {
            _ = try UnixSocket.connect(to: path)
        } catch {
            return [.fault(subject, error.description, advice: advice(error))]
        }
        guard let readiness = probe(path) else {
            let advice = "see the service's log (journalctl -u mesher); the watchdog replaces what is stuck"
            return [.fault(subject, "storage does not answer", advice: advice)]
        }
        var findings: [Finding] = []
        if readiness.accepts {
            findings.append(.good(subject, "storage accepts events"))
        } else if readiness.degradation.contains(.draining) {
            let advice = "mesher drain --end, run by root or the service's user"
            findings.append(.fault(subject, "storage refuses events with 503: this host is draining", advice: advice))
        } else {
            let advice = "see the findings about storage and PostgreSQL; storage reconnects by itself"
            findings.append(.fault(subject, "storage cannot accept events: they are refused with 503", advice: advice))
        }
        findings += Self.degraded.filter { readiness.degradation.contains($0.what) }.map(\.finding)
        if readiness.degradation.contains(.spool) { findings.append(spool()) }
        if readiness.degradation.contains(.postgresql), let refusal = refusal() { findings.append(refusal) }
        return findings
    }

    /// What PostgreSQL says, if it refuses a harmless row as the role of storage writes it.
    private func refusal() -> Finding? {
        do throws(DatabaseError) {
            let url = settings.text(.storageDatabaseURL)
            let connection = try Connection.open(url, applicationName: "mesher check")
            let rows = try connection.query("SELECT (now() AT TIME ZONE 'UTC')::date - date '2000-01-01'")
            let today = rows[row: 0, column: 0].flatMap { Int32($0) } ?? 0
            try connection.execute(ProbeStatement.sql(project: 0, day: today))
            return nil
        } catch {
            // Anything else is told by the checks of PostgreSQL and of the role.
            guard error.blamesRow else { return nil }
            let advice =
                error.sqlState?.hasPrefix("54") == true
                ? "see PostgreSQL's log; near transaction ID wraparound, VACUUM the database as superuser"
                : "find the trigger or constraint on the table events that refuses it; storage retries by itself"
            return .fault("PostgreSQL", "a plain row is refused: \(error)", advice: advice)
        }
    }

    /// Why the spool is a concern, as storage reports in its slot.
    private func spool() -> Finding {
        let readings = ScoreboardFile.readings(in: settings.text(.runDirectory))
        let spool = readings.first { $0.role == .storage && $0.state == .ready }?.spool
        guard let spool else {
            return .fault(
                "storage", "the spool is more than 80 % full, or its disk accepts no more",
                advice: "see the findings about the spool")
        }
        if spool.fault != 0 {
            let reason = spool.fault == EWOULDBLOCK ? "another process owns it" : String(cString: strerror(spool.fault))
            let advice =
                "see the findings about the spool, and the service's log; storage retries every second"
            return .fault("storage", "the spool cannot be used: \(reason)", advice: advice)
        }
        if let room = spool.room, SpoolRoom(bytes: room, files: spool.files).isExhausted {
            let what = spool.files == 0 ? "inodes" : "space"
            return .fault(
                "storage", "the spool's file system has no \(what) left", advice: "free some on that file system")
        }
        return .fault(
            "storage", "the spool is more than 80 % full: events are refused when it is full",
            advice: "bring PostgreSQL back, or raise MESHER_SPOOL_LIMIT")
    }

    /// The finding for each part that is impaired for storage or an edge.
    private static let degraded: [(what: Degradation, finding: Finding)] = [
        (
            .postgresql,
            .fault(
                "storage", "some of its connections to PostgreSQL are down; keys are as last read",
                advice: "see the findings about PostgreSQL and storage's role; storage reconnects by itself")
        ),
        (
            .backlog,
            .fault(
                "storage", "nothing was delivered from the spool for a minute",
                advice: "see the findings about PostgreSQL, and the service's log")
        ),
        (
            .keys,
            .fault(
                "storage", "no key is known, neither from PostgreSQL nor from disk: every event is refused with 503",
                advice: "bring PostgreSQL back; the service's log says why the snapshot of the keys could not be used")
        ),
        (
            .redis,
            .fault(
                "edges", "some do not reach Redis: their limits are counted by this host alone",
                advice: "see the findings about Redis, and the service's log; edges reconnect by themselves")
        ),
        (
            .eviction,
            .fault(
                "edges", "Redis may evict counters: when one is evicted, its project gets a whole window again",
                advice: "CONFIG SET maxmemory-policy noeviction, and set it in redis.conf")
        ),
    ]

    private func advice(_ error: SystemError) -> String {
        switch error.code {
        case EACCES, EPERM: "run this as root or as the service's user"
        case ENOENT where RunningWatchdog.isRunning(settings.text(.runDirectory)):
            "it was removed; the service recreates it within seconds, except a socket that systemd holds: "
                + "systemctl restart mesher.socket mesher.service"
        default: "start the service (systemctl start mesher); see its log (journalctl -u mesher)"
        }
    }

    /// Whether storage accepts durably and what is missing; nil when it does not answer.
    private func probe(_ path: String) -> (accepts: Bool, degradation: Degradation)? {
        var client = StorageClient(path: path)
        let deadline = Clock.monotonic() + Self.patience
        guard client.tick(now: Clock.monotonic()) == nil else { return nil }
        var frames = FrameQueue()
        frames.write { $0.probe(Self.ticket) }
        guard client.send(&frames) else { return nil }
        var answer: (accepts: Bool, degradation: Degradation)?
        while answer == nil, let socket = client.socket {
            let left = deadline - Clock.monotonic()
            var waiting = pollfd(
                fd: socket.number, events: Int16(socket.wantsWrite ? POLLIN | POLLOUT : POLLIN), revents: 0)
            guard left > 0, poll(&waiting, 1, CInt(left / 1_000_000 + 1)) > 0 else { return nil }
            let isReadable = waiting.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0
            let isWritable = waiting.revents & Int16(POLLOUT) != 0
            let isAlive = client.ready(readable: isReadable, writable: isWritable) { kind, content in
                guard kind == .readiness else { return true }
                var content = FrameContent(content)
                let ticket = content.integer(UInt64.self)
                let accepts = content.integer(UInt8.self) != 0
                let degradation = Degradation(rawValue: content.integer())
                if content.isIntact, ticket == Self.ticket { answer = (accepts, degradation) }
                return content.isIntact
            }
            if !isAlive { return answer }
        }
        return answer
    }
}
