import Foundation
import Scoreboard
import TestServers

/// Does the faults of a plan to a stack whose sockets it holds, and undoes those that last when their time has come.
final class FaultInjector {
    /// Seconds within which a process that died has a successor, on a busy machine.
    private static let patience = 15.0

    private let stack: Stack
    private let streams: Streams
    private let processes: Processes
    private let outage: Outage
    private let sockets: HeldSockets
    private let ledger: Ledger
    /// Ends of faults, by the time when they are due.
    private var ends: [(due: Ledger.Instant, undo: () throws -> Void)] = []
    private var reloads: [Execution.Running] = []

    /// Takes the watchdog's sockets, and starts it again.
    init(on project: Project, _ ledger: Ledger) throws {
        stack = project.stack
        streams = Streams(project: project)
        processes = Processes(stack: stack)
        outage = Outage(stack: stack)
        self.ledger = ledger
        if let watchdog = processes.watchdog { kill(watchdog, SIGTERM) }
        let path = stack["MESHER_RUN_DIR"] + "/watchdog.pid"
        _ = eventually(within: 40) { !FileManager.default.fileExists(atPath: path) }
        sockets = try HeldSockets(for: stack)
        try sockets.start()
    }

    /// Does one fault.
    func inject(_ fault: FaultKind.Planned) throws {
        let pause = Duration.seconds(fault.seconds)
        switch fault.kind {
        case .workerKilled: try strike(SIGKILL, fault.kind) { self.processes.children("mesher-worker", "events") }
        case .bulkWorkerKilled: try strike(SIGKILL, fault.kind) { self.processes.children("mesher-worker", "bulk") }
        case .storageKilled: try strike(SIGKILL, fault.kind) { self.processes.children("mesher-storage") }
        case .listenerKilled: try strike(SIGKILL, fault.kind) { self.processes.children("mesher-stream") }
        case .sessionKilled: try strike(SIGKILL, fault.kind) { try self.streams.sessions().map(\.pid) }
        case .workerStopped:
            let victim = try strike(SIGSTOP, fault.kind) { self.processes.children("mesher-worker", "events") }
            undo(after: pause) {
                // It may have been killed meanwhile, and its number be another's.
                if let victim, Processes.commandLine(victim).first == "mesher-worker" { kill(victim, SIGCONT) }
            }
        case .watchdogKilled:
            ledger.began(fault.kind)
            sockets.kill()
            try sockets.start()
        case .postgreSQLCrashed:
            ledger.began(fault.kind)
            try outage.stopPostgreSQL()
            undo(after: pause) { [outage] in try outage.startPostgreSQL() }
        case .postgreSQLStopped:
            ledger.began(fault.kind)
            try outage.signalPostgreSQL(SIGSTOP)
            undo(after: pause) { [outage] in try outage.signalPostgreSQL(SIGCONT) }
        case .redisKilled:
            ledger.began(fault.kind)
            try outage.signalRedis(SIGKILL)
            undo(after: pause) { [outage] in try outage.startRedis() }
        case .redisStopped:
            ledger.began(fault.kind)
            try outage.signalRedis(SIGSTOP)
            undo(after: pause) { [outage] in try outage.signalRedis(SIGCONT) }
        case .nginxReloaded:
            ledger.began(fault.kind)
            try Nginx(of: stack).hangUp()
        case .reloaded:
            ledger.began(fault.kind)
            let program = stack["MESHER_BIN"] + "/mesher"
            reloads.append(try Execution.Running(program, ["reload"], environment: stack.variables))
        }
    }

    /// Undoes what is due, or all of it.
    func undo(all: Bool = false) throws {
        let now = ContinuousClock.now
        let due = ends.filter { all || $0.due <= now }
        ends.removeAll { all || $0.due <= now }
        for end in due { try end.undo() }
    }

    /// Ends the service.
    func stop() {
        try? undo(all: true)
        sockets.kill(SIGTERM)
    }

    private func undo(after pause: Duration, _ undo: @escaping () throws -> Void) {
        ends.append((.now + pause, undo))
    }

    /// Sends a signal to one of the processes, whose successor may just be starting.
    ///
    /// - Returns: the process; nil when there was none for long.
    @discardableResult
    private func strike(_ signal: Int32, _ kind: FaultKind, _ victims: () throws -> [pid_t]) throws -> pid_t? {
        var victim: pid_t?
        _ = try eventually(within: Self.patience) {
            victim = try victims().randomElement()
            return victim != nil
        }
        ledger.began(kind)
        if let victim { kill(victim, signal) } else { ledger.violated("nobody there for \(Self.patience) s: \(kind)") }
        return victim
    }
}
