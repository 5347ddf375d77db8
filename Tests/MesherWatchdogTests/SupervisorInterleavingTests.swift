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
    }
}

/// The processes of a host as the watchdog would see them, without any.
private struct World {
    struct Process {
        let child: Child
        var isReady = false
        var wasToldToStop = false
    }

    var supervisor: Supervisor
    var now: Int64 = 0
    var processes: [pid_t: Process] = [:]
    var exitStatus: CInt?
    private var lastPID: pid_t = 100
    private var random: SplitMix
    private var stoppedAt: Int64?

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        supervisor = Supervisor(Child.all(workers: Int(seed % 4)), jitter: { 0.5 })
    }

    /// One thing that may happen next.
    mutating func step(mayStop: Bool) {
        let pid = processes.keys.sorted().randomElement(using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0...2:
            guard let pid else { return }
            processes[pid]?.isReady = true
            supervisor.ready(pid)
        case 3...5:
            guard let pid else { return }
            processes[pid] = nil
            perform(supervisor.died(pid, now: now))
        case 6:
            // A stranger's death, or one that was told already.
            perform(supervisor.died(.random(in: 1...99, using: &random), now: now))
        case 7:
            if mayStop { stop() }
        case 8:
            now += .random(in: 0...2_000_000_000, using: &random)
            perform(supervisor.timePassed(now: now))
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
        for action in actions {
            #expect(exitStatus == nil, "nothing is done after the end")
            switch action {
            case .start(let child):
                #expect(stoppedAt == nil, "nothing is started after a stop")
                #expect(!processes.values.contains { $0.child == child }, "one process a child")
                start(child)
            case .signal(let pid, let signal):
                guard let process = processes[pid] else {
                    Issue.record("a process that is not there is signalled")
                    continue
                }
                processes[pid]?.wasToldToStop = true
                if !process.child.isEdge {
                    #expect(!processes.values.contains { $0.child.isEdge }, "storage outlives the edges")
                }
                if signal == SIGKILL {
                    #expect(process.wasToldToStop && now - (stoppedAt ?? now) >= StopSequence.patience)
                    processes[pid] = nil
                    perform(supervisor.died(pid, now: now))
                } else {
                    #expect(signal == SIGTERM && !process.wasToldToStop, "one SIGTERM a process")
                }
            case .tell(.stopping):
                if stoppedAt == nil { stoppedAt = now }
            case .tell(.pause(_, let pause)):
                #expect((187_500_000...30_000_000_000).contains(pause))
            case .tell:
                break
            case .exit(let status):
                #expect(processes.isEmpty, "nothing lives at the end")
                exitStatus = status
            }
        }
    }

    private mutating func start(_ child: Child) {
        guard Int.random(in: 0..<8, using: &random) > 0 else {
            perform(supervisor.failedToStart(child, now: now))
            return
        }
        lastPID += 1
        processes[lastPID] = Process(child: child)
        perform(supervisor.started(child, lastPID, now: now))
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
