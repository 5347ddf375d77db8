import Glibc
import Testing

@testable import mesher_watchdog

/// Random lives of a whole host: processes become ready, die, fail to start and refuse to stop, in any order, while time
/// passes. After every step the rules that hold always are checked.
struct SupervisorInterleavingTests {
    @Test("In any order of events the rules hold, and a stop ends everything", arguments: 0..<2_000)
    func rulesHold(seed: Int) {
        var world = World(seed: UInt64(seed))
        world.perform(world.supervisor.begin(now: world.now))
        for _ in 0..<60 where world.exitStatus == nil { world.step(mayStop: false) }
        world.stop()
        for _ in 0..<400 where world.exitStatus == nil { world.step(mayStop: true) }
        #expect(world.exitStatus != nil)
        #expect(world.processes.isEmpty)
        #expect(world.everyReloadEnded)
    }
}

/// The processes of a host as the watchdog would see them, without any.
private struct World {
    struct Process {
        let child: Child
        var isReady = false
        var toldAt: Int64?
        var isDraining = false
    }

    var everyReloadEnded: Bool { reloads == ends }

    var supervisor: Supervisor
    var now: Int64 = 0
    var processes: [pid_t: Process] = [:]
    var exitStatus: CInt?
    private var lastPID: pid_t = 100
    private var random: SplitMix
    private var stoppedAt: Int64?
    private var killed: [pid_t] = []
    private var reloads = 0
    private var ends = 0

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        supervisor = Supervisor(Child.all(workers: Int(seed % 4)), jitter: { 0.5 })
    }

    /// One thing that may happen next.
    mutating func step(mayStop: Bool) {
        let pid = processes.keys.sorted().randomElement(using: &random)
        switch Int.random(in: 0..<14, using: &random) {
        case 0...3:
            guard let pid else { return }
            processes[pid]?.isReady = true
            perform(supervisor.ready(pid, now: now))
        case 4...6:
            guard let pid else { return }
            processes[pid] = nil
            perform(supervisor.died(pid, now: now))
        case 7:
            // A stranger's death, or one that was told already.
            perform(supervisor.died(.random(in: 1...99, using: &random), now: now))
        case 8:
            if mayStop { stop() }
        case 9:
            now += .random(in: 0...2_000_000_000, using: &random)
            perform(supervisor.timePassed(now: now))
        case 10:
            guard !supervisor.isReloading else { return }
            reloads += 1
            perform(supervisor.reload(Child.all(workers: .random(in: 0...3, using: &random)), now: now))
        case 11:
            guard let pid else { return }
            perform(
                .random(using: &random) ? supervisor.stuck(pid, now: now) : supervisor.replace(pid, now: now))
        case 12:
            perform(.random(using: &random) ? supervisor.addWorker(now: now) : supervisor.removeWorker(now: now))
        default:
            guard let wakeAt = supervisor.wakeAt else { return }
            now = max(now, wakeAt)
            perform(supervisor.timePassed(now: now))
            #expect(supervisor.wakeAt.map { $0 > now } ?? true, "what is due is done")
        }
    }

    mutating func stop() {
        if stoppedAt == nil { stoppedAt = now }
        perform(supervisor.stop(now: now))
    }

    mutating func perform(_ actions: [Supervisor.Action]) {
        carryOut(actions)
        // As in the kernel, what was killed is heard of later.
        while let pid = killed.popLast() { carryOut(supervisor.died(pid, now: now)) }
    }

    private mutating func carryOut(_ actions: [Supervisor.Action]) {
        for action in actions {
            #expect(exitStatus == nil, "nothing is done after the end")
            switch action {
            case .start(let child):
                #expect(stoppedAt == nil, "nothing is started after a stop")
                let untold = processes.values.filter { $0.child == child && $0.toldAt == nil && !$0.isDraining }
                #expect(untold.count <= (supervisor.replacements.turn?.child == child ? 1 : 0), "one process a child")
                if !child.isEdge {
                    #expect(!processes.values.contains { $0.child == child }, "storage is never there twice")
                }
                start(child)
            case .signal(let pid, let signal):
                self.signal(pid, signal)
            case .tell(.stopping):
                if stoppedAt == nil { stoppedAt = now }
            case .tell(.pause(_, let pause)):
                #expect((187_500_000...30_000_000_000).contains(pause))
            case .tell:
                break
            case .endReload:
                ends += 1
                #expect(ends <= reloads, "a reload ends once")
            case .exit(let status):
                #expect(processes.isEmpty, "nothing lives at the end")
                exitStatus = status
            }
        }
    }

    private mutating func signal(_ pid: pid_t, _ signal: CInt) {
        guard let process = processes[pid] else {
            Issue.record("a process that is not there is signalled")
            return
        }
        if stoppedAt != nil, !process.child.isEdge, process.toldAt == nil {
            #expect(!processes.values.contains { $0.child.isEdge }, "storage outlives the edges")
        }
        switch signal {
        case SIGKILL:
            if let toldAt = process.toldAt {
                #expect(now - toldAt >= Supervisor.abortPatience || now - (stoppedAt ?? now) >= StopSequence.patience)
            }
            processes[pid] = nil
            killed.append(pid)
        case SIGABRT:
            #expect(process.toldAt == nil, "one end a process")
            processes[pid]?.toldAt = now
        case SIGUSR1:
            #expect(process.child.outlivesReplacement && process.toldAt == nil && !process.isDraining)
            processes[pid]?.isDraining = true
        default:
            #expect(signal == SIGTERM && process.toldAt == nil, "one SIGTERM a process")
            #expect(!process.isDraining || stoppedAt != nil, "one that drains is left alone until a stop")
            processes[pid]?.toldAt = now
        }
    }

    private mutating func start(_ child: Child) {
        guard Int.random(in: 0..<8, using: &random) > 0 else {
            carryOut(supervisor.failedToStart(child, now: now))
            return
        }
        lastPID += 1
        processes[lastPID] = Process(child: child)
        carryOut(supervisor.started(child, lastPID, now: now))
    }
}

/// Random numbers that are the same for the same seed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
