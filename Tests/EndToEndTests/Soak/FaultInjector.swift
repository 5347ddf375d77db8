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
    /// Ends of faults, with the time when they are due and the server that is away until then.
    private var ends: [(due: Ledger.Instant, server: String?, undo: () throws -> Void)] = []
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
        _ = eventually { !FileManager.default.fileExists(atPath: path) }
        sockets = try HeldSockets(for: stack)
        try sockets.start()
    }

    /// Does one fault.
    func inject(_ fault: FaultKind.Planned) throws {
        let victim = try victim(of: fault.kind)
        // Where the plan is late it may be away still, and would be started twice.
        if let server = fault.kind.server {
            _ = try eventually(within: Self.patience) {
                try undo()
                return !ends.contains { $0.server == server }
            }
        }
        ledger.began(fault.kind)
        switch fault.kind {
        case .workerKilled, .bulkWorkerKilled, .storageKilled, .listenerKilled, .sessionKilled:
            if let victim { kill(victim, SIGKILL) }
        case .workerStopped, .storageStopped, .nginxStopped:
            guard let victim else { break }
            let command = Processes.commandLine(victim)
            kill(victim, SIGSTOP)
            undo(fault) {
                // It may have been killed meanwhile, and its number be another's.
                if Processes.commandLine(victim) == command { kill(victim, SIGCONT) }
            }
        case .watchdogKilled:
            sockets.kill()
            try sockets.start()
        case .postgreSQLCrashed:
            try outage.stopPostgreSQL()
            undo(fault) { [outage] in try outage.startPostgreSQL() }
        case .postgreSQLStopped:
            try outage.signalPostgreSQL(SIGSTOP)
            undo(fault) { [outage] in try outage.signalPostgreSQL(SIGCONT) }
        case .redisKilled:
            try outage.signalRedis(SIGKILL)
            undo(fault) { [outage] in try outage.startRedis() }
        case .redisStopped:
            try outage.signalRedis(SIGSTOP)
            undo(fault) { [outage] in try outage.signalRedis(SIGCONT) }
        case .nginxReloaded: try Nginx(of: stack).hangUp()
        case .reloaded:
            let program = stack["MESHER_BIN"] + "/mesher"
            reloads.append(try Execution.Running(program, ["reload"], environment: stack.variables))
        }
    }

    /// The processes that a fault may hit; nil when it hits none of them.
    private func victims(of kind: FaultKind) throws -> [pid_t]? {
        switch kind {
        case .workerKilled, .workerStopped: processes.children("mesher-worker", "events")
        case .bulkWorkerKilled: processes.children("mesher-worker", "bulk")
        case .storageKilled, .storageStopped: processes.children("mesher-storage")
        case .nginxStopped: try Nginx(of: stack).workers()
        case .listenerKilled: processes.children("mesher-stream")
        case .sessionKilled: try streams.sessions().map(\.pid)
        default: nil
        }
    }

    /// One of them, whose successor may just be starting.
    private func victim(of kind: FaultKind) throws -> pid_t? {
        var victims = try victims(of: kind)
        guard victims != nil else { return nil }
        _ = try eventually(within: Self.patience) {
            // Without a storage that was stopped there is no new session.
            try undo()
            victims = try self.victims(of: kind)
            return victims?.isEmpty == false
        }
        if victims?.isEmpty != false { ledger.violated("nobody there for \(Self.patience) s: \(kind.rawValue)") }
        return victims?.randomElement()
    }

    /// Undoes what is due, or all of it.
    func undo(all: Bool = false) throws {
        let now = ContinuousClock.now
        let due = ends.filter { all || $0.due <= now }
        ends.removeAll { all || $0.due <= now }
        for end in due { try end.undo() }
    }

    /// Whether each `mesher reload` has come to its end, good or bad.
    var hasReloaded: Bool { reloads.allSatisfy { !$0.isRunning } }

    /// Ends the service.
    func stop() {
        try? undo(all: true)
        sockets.kill(SIGTERM)
    }

    private func undo(_ fault: FaultKind.Planned, _ undo: @escaping () throws -> Void) {
        ends.append((.now + .seconds(fault.seconds), fault.kind.server, undo))
    }
}
