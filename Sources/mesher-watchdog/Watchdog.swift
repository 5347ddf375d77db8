internal import Configuration
internal import Glibc
internal import Journal
internal import Logging
internal import Scoreboard
internal import System

/// Carries out what the supervisor decides, and tells it what happens: signals, the ends of children and their readiness,
/// all waited for in one place. It decides nothing itself.
struct Watchdog: ~Copyable {
    let log: Logger
    /// What the page shows of the log, this process's own lines among it.
    let lines: RecentLines
    let configuration: ConfigurationSource
    let binaries: String
    let sockets: ListeningSockets
    let epoll: Epoll
    let signals: SignalDescriptor
    /// What children are started with.
    var settings: Settings
    var reload: Reload?
    var supervisor: Supervisor
    var processes: [pid_t: ChildProcess] = [:]
    /// The children's outputs, including those of ended children whose forks are alive.
    var outputs: [UInt32: ErrorOutput] = [:]
    var lastOutput: UInt32 = 0
    let scoreboard: ScoreboardFile
    var slots: ChildSlots
    var page: StatusPage
    /// How each child ended last, for the message that names the cause.
    var lastEndings: [Child: String] = [:]
    private var health: HealthCheck
    var runFiles = RunFiles()
    /// Whether the current stop is part of a restart.
    var isStartingAgain = false
    var notification: SystemdNotification
    /// Whether systemd was told that the service works.
    private var isAnnounced = false
    /// When `tick` is due, of the monotonic clock.
    private var nextTick: Int64 = 0

    /// Nanoseconds between two checks of what no descriptor reports.
    private static let tickInterval: Int64 = 1_000_000_000

    /// - Parameters:
    ///   - configuration: read again by a reload.
    ///   - binaries: the folder of the programs.
    ///   - sockets: open, and kept open to the end.
    static func open(
        _ settings: Settings, from configuration: ConfigurationSource, binaries: String,
        sockets: consuming ListeningSockets, log: Logger, lines: RecentLines
    ) throws(SystemError) -> Watchdog {
        let epoll = try Epoll()
        let signals = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP, SIGTTIN, SIGTTOU])
        try epoll.add(signals.number, token: WatchdogToken.signal.number, .read)
        let directory = settings.text(.runDirectory)
        let scoreboard = try ScoreboardFile.open(in: directory)
        scoreboard.forgetHealth()
        let sessions = try SessionTable.create(in: directory)
        let patience = Int64(settings.integer(.startTimeout)) * 1_000_000_000
        let supervisor = Supervisor(settings.children, patience: patience)
        return Watchdog(
            log: log, lines: lines, configuration: configuration, binaries: binaries, sockets: sockets, epoll: epoll,
            signals: signals, settings: settings, supervisor: supervisor,
            scoreboard: scoreboard, slots: ChildSlots(scoreboard, sessions),
            page: StatusPage(scoreboard, sessions, directory: directory, lines: lines), health: .configured(settings),
            notification: .inherited())
    }

    /// Runs until everything has ended, and returns the exit status.
    consuming func run() throws(SystemError) -> CInt {
        recordConfiguration()
        var status = perform(supervisor.begin(now: Clock.monotonic()))
        while status == nil {
            let wakeAt = min(supervisor.wakeAt ?? nextTick, nextTick, health.wakeAt)
            let count = try epoll.wait(nanoseconds: max(0, wakeAt - Clock.monotonic()))
            for position in 0..<count where status == nil {
                status = handle(WatchdogToken(epoll[position].token))
            }
            let now = Clock.monotonic()
            if status == nil { status = perform(supervisor.timePassed(now: now)) }
            if status == nil, now >= nextTick { status = tick(now: now) }
            checkHealth(now: now)
            announce()
        }
        for output in outputs.values { _ = output.forward() }
        sockets.removeFiles()
        page.remove()
        SessionTable.remove(in: settings.text(.runDirectory))
        unlink(ConfigurationRecord.path(in: settings.text(.runDirectory)))
        if isStartingAgain { startAgain() }
        return status ?? EXIT_FAILURE
    }

    /// Checks what no descriptor reports.
    private mutating func tick(now: Int64) -> CInt? {
        // If this process was suspended, perhaps with its host, heartbeats are stale too: skip the check.
        let isLate = nextTick > 0 && now - nextTick > Self.tickInterval
        nextTick = now + min(Self.tickInterval, notification.interval ?? Self.tickInterval)
        notification.alive()
        ProcessDescriptor.reapOrphans { processes[$0] != nil }
        resumeOutputs()
        if page.due <= now { writePage(now: now) }
        if let status = lookAtFiles(now: now) { return status }
        return lookAtChildren(now: now, isLate: isLate)
    }

    private mutating func checkHealth(now: Int64) {
        for result in health.elapse(now: now, epoll, token: { WatchdogToken.health($0).number }) { record(result) }
    }

    /// Tells systemd what has changed.
    private mutating func announce() {
        if !isAnnounced, supervisor.isServing {
            isAnnounced = true
            notification.ready()
        }
        notification.status(supervisor.summary)
    }

    mutating func writePage(now: Int64) {
        do throws(SystemError) {
            try page.write(now: now)
        } catch {
            log.error("metrics and status cannot be written", metadata: ["reason": "\(error)"])
        }
    }

    private mutating func handle(_ token: WatchdogToken) -> CInt? {
        switch token {
        case .signal:
            return signals.next().flatMap { handle(signal: $0) }
        case .exit(let pid):
            guard let process = processes[pid], let ending = process.reap() else { return nil }
            forget(process)
            let suspect = slots.ended(pid, ending)
            forward(process.output)
            let lastWords = process.output.lastLine
            lastEndings[process.child] = lastWords.isEmpty ? "\(ending)" : "\(ending), last words: \(lastWords)"
            var metadata = about(process).merging(["how": "\(ending)"]) { $1 }
            if case .killed(let signal) = ending, signal != SIGTERM, !lastWords.isEmpty {
                metadata["last_words"] = "\(lastWords)"
            }
            log.notice("child ended", metadata: metadata)
            if let suspect { tell(suspect, process.child) }
            return perform(supervisor.died(pid, now: Clock.monotonic()))
        case .readiness(let pid):
            guard let process = processes[pid], let isReady = process.readReadiness() else { return nil }
            epoll.remove(process.readinessNumber)
            guard isReady else { return nil }
            log.info("child ready", metadata: about(process))
            slots.ready(pid)
            return perform(supervisor.ready(pid, now: Clock.monotonic()))
        case .output(let serial):
            if let output = outputs[serial] { forward(output) }
            return nil
        case .health(let subject):
            if let result = health.ready(subject, now: Clock.monotonic()) { record(result) }
            return nil
        }
    }

    private mutating func handle(signal: CInt) -> CInt? {
        let now = Clock.monotonic()
        switch signal {
        case SIGHUP: return beginReload()
        case SIGTTIN: return perform(supervisor.addWorker(now: now))
        case SIGTTOU: return perform(supervisor.removeWorker(now: now))
        default:
            isStartingAgain = false
            return perform(supervisor.stop(now: now))
        }
    }

    /// Carries out actions and those that follow from them; the exit status when one of them ends the watchdog.
    mutating func perform(_ actions: [Supervisor.Action]) -> CInt? {
        for action in actions {
            switch action {
            case .start(let child):
                if let status = start(child) { return status }
            case .signal(let pid, let signal):
                // Until it is reaped, the process ID cannot be reused.
                kill(pid, signal)
                slots.signalled(pid, signal)
            case .tell(let notice):
                tell(notice)
            case .endReload(let failure):
                if let status = endReload(failure) { return status }
            case .exit(let status):
                return status
            }
        }
        return nil
    }

    private mutating func start(_ child: Child) -> CInt? {
        let slot = slots.claim(child, replacement: supervisor.isReloading ? .reload : .recycled)
        lastOutput &+= 1
        do throws(SystemError) {
            let process = try ChildProcess.start(
                child, file: "\(binaries)/\(child.program)",
                environment: environment(for: child) + ChildSlots.environment(slot),
                secrets: settings.secrets(for: child.settingsProgram),
                listener: child.listener.map { sockets.number($0) },
                second: child.listener.flatMap { sockets.directNumber($0) }, serial: lastOutput, lines: lines,
                hasPriorities: Journal.hasPriorities)
            try watch(process)
            processes[process.pid] = process
            slots.started(child, slot, process.pid)
            log.info("child started", metadata: about(process))
            return perform(supervisor.started(child, process.pid, now: Clock.monotonic()))
        } catch {
            slots.failedToStart(slot)
            lastEndings[child] = "\(error)"
            log.error("child cannot be started", metadata: ["child": "\(child)", "reason": "\(error)"])
            return perform(supervisor.failedToStart(child, now: Clock.monotonic()))
        }
    }

    /// A process that cannot be watched is killed.
    private mutating func watch(_ process: ChildProcess) throws(SystemError) {
        do throws(SystemError) {
            try epoll.add(process.exitNumber, token: WatchdogToken.exit(process.pid).number, .read)
            try epoll.add(process.readinessNumber, token: WatchdogToken.readiness(process.pid).number, .read)
            try add(process.output)
        } catch {
            process.abandon()
            throw error
        }
    }

    private mutating func forget(_ process: ChildProcess) {
        epoll.remove(process.exitNumber)
        epoll.remove(process.readinessNumber)
        processes[process.pid] = nil
    }

    /// A child gets its own settings, and glibc's.
    private func environment(for child: Child) -> [String] {
        let program = child.settingsProgram
        // libfcgi allocates and frees buffers of 8 KiB per request: glibc should keep them.
        let tunables = "GLIBC_TUNABLES=glibc.malloc.tcache_max=16384:glibc.malloc.tcache_count=127"
        return settings.environment(for: program) + (program == .worker ? [tunables] : [])
    }

    private func about(_ process: ChildProcess) -> Logger.Metadata {
        ["child": "\(process.child)", "process": "\(process.pid)"]
    }
}

extension Child {
    /// The program for which it gets settings.
    fileprivate var settingsProgram: Program {
        switch role {
        case .storage: .storage
        case .worker: .worker
        case .stream: .stream
        }
    }
}
