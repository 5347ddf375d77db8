import Glibc
import Testing

@testable import mesher_watchdog

struct SupervisorTests {
    private static let second: Int64 = 1_000_000_000
    private let storage = Child(role: .storage, number: 0)
    private let worker = Child(role: .worker(.events), number: 0)
    private let bulk = Child(role: .worker(.bulk), number: 0)

    /// Storage is process 10, the worker 11, the bulk worker 12, all ready at 0.
    private func running() -> Supervisor {
        var supervisor = Supervisor([storage, worker, bulk], jitter: { 0 })
        _ = supervisor.begin(now: 0)
        for (child, pid) in [(storage, pid_t(10)), (worker, 11), (bulk, 12)] {
            _ = supervisor.started(child, pid, now: 0)
            _ = supervisor.ready(pid, now: 0)
        }
        return supervisor
    }

    @Test("A host has storage, so many workers, one for bulk, and one listener for streams")
    func namesTheChildren() {
        let children = Child.all(workers: 2)
        #expect(
            children.map(\.description) == ["storage", "worker events 0", "worker events 1", "worker bulk 0", "stream"])
        #expect(
            children.map(\.program) == [
                "mesher-storage", "mesher-worker", "mesher-worker", "mesher-worker", "mesher-stream",
            ])
        #expect(children.map(\.arguments) == [[], ["events"], ["events"], ["bulk"], []])
    }

    @Test("It begins by starting every child, storage first")
    func startsAll() {
        var supervisor = Supervisor([storage, worker, bulk], jitter: { 0 })
        #expect(supervisor.begin(now: 0) == [.start(storage), .start(worker), .start(bulk)])
    }

    @Test("A child that was ready and lived is started again at once, and no other is touched")
    func restartsAtOnce() {
        var supervisor = running()
        #expect(supervisor.died(11, now: Self.second) == [.start(worker)])
    }

    @Test("A child that died early is started again when its pause is over, not before")
    func restartsLater() {
        var supervisor = running()
        #expect(supervisor.died(11, now: 1_000) == [.tell(.pause(worker, 250_000_000))])
        #expect(supervisor.wakeAt == 250_001_000)
        #expect(supervisor.timePassed(now: 250_000_999) == [])
        #expect(supervisor.timePassed(now: 250_001_000) == [.start(worker)])
        #expect(supervisor.wakeAt == nil)
    }

    @Test("A program that cannot be started counts as an early death")
    func failedStartIsAnEarlyDeath() {
        var supervisor = Supervisor([storage], jitter: { 0 })
        _ = supervisor.begin(now: 0)
        #expect(supervisor.failedToStart(storage, now: 5) == [.tell(.pause(storage, 250_000_000))])
    }

    @Test("What is said of a process that is no longer there changes nothing")
    func ignoresStrangers() {
        var supervisor = running()
        _ = supervisor.died(11, now: 10 * Self.second)
        _ = supervisor.started(worker, 20, now: 10 * Self.second)
        _ = supervisor.ready(11, now: 0)
        #expect(supervisor.died(11, now: 11 * Self.second) == [])
        // Had the late word of process 11 made process 20 ready, it would start again at once.
        #expect(supervisor.died(20, now: 12 * Self.second) == [.tell(.pause(worker, 250_000_000))])
    }

    @Test("When no worker becomes ready within a minute, everything is stopped and the end is a failure")
    func givesUp() {
        var supervisor = Supervisor([storage, worker], jitter: { 0 })
        _ = supervisor.begin(now: 0)
        _ = supervisor.started(storage, 10, now: 0)
        _ = supervisor.started(worker, 11, now: 0)
        _ = supervisor.ready(10, now: 0)
        #expect(supervisor.wakeAt == 60 * Self.second)
        #expect(supervisor.timePassed(now: 60 * Self.second - 1) == [])
        #expect(
            supervisor.timePassed(now: 60 * Self.second)
                == [.tell(.noWorkerReady), .tell(.stopping), .signal(11, SIGTERM)])
        #expect(supervisor.died(11, now: 61 * Self.second) == [.signal(10, SIGTERM)])
        #expect(supervisor.died(10, now: 62 * Self.second) == [.exit(EXIT_FAILURE)])
    }

    @Test("The minute begins anew when the last ready worker dies, and ends when one is ready")
    func countsTheMinuteFromTheLastReadyWorker() {
        var supervisor = running()
        _ = supervisor.died(11, now: 2 * Self.second)
        #expect(supervisor.wakeAt == nil)
        _ = supervisor.died(12, now: 3 * Self.second)
        #expect(supervisor.wakeAt == 63 * Self.second)
        _ = supervisor.started(worker, 20, now: 4 * Self.second)
        _ = supervisor.ready(20, now: 5 * Self.second)
        #expect(supervisor.wakeAt == nil)
    }

    @Test("Storage that keeps dying takes no worker along")
    func oneRoleDoesNotTakeTheOthersAlong() {
        var supervisor = running()
        var now: Int64 = 0
        var pid: pid_t = 10
        for _ in 0..<100 {
            for action in supervisor.died(pid, now: now) {
                guard case .tell(.pause(storage, _)) = action else { return #expect(Bool(false), "\(action)") }
            }
            now = supervisor.wakeAt ?? now
            #expect(supervisor.timePassed(now: now) == [.start(storage)])
            pid += 100
            _ = supervisor.started(storage, pid, now: now)
        }
    }

    @Test("Stopping ends the edges first, and storage only when all of them are gone")
    func stopsInOrder() {
        var supervisor = running()
        #expect(supervisor.stop(now: 0) == [.tell(.stopping), .signal(11, SIGTERM), .signal(12, SIGTERM)])
        #expect(supervisor.died(12, now: 1) == [])
        #expect(supervisor.died(11, now: 2) == [.signal(10, SIGTERM)])
        #expect(supervisor.died(10, now: 3) == [.exit(EXIT_SUCCESS)])
    }

    @Test("Asking again to stop changes nothing")
    func stopsOnce() {
        var supervisor = running()
        _ = supervisor.stop(now: 0)
        #expect(supervisor.stop(now: 1) == [])
    }

    @Test("What does not stop within thirty seconds is killed")
    func killsWhatDoesNotStop() {
        var supervisor = running()
        _ = supervisor.stop(now: 0)
        _ = supervisor.died(12, now: 1)
        #expect(supervisor.wakeAt == 30 * Self.second)
        #expect(
            supervisor.timePassed(now: 30 * Self.second) == [.tell(.killing(worker, 11)), .signal(11, SIGKILL)])
        #expect(supervisor.wakeAt == nil)
        #expect(supervisor.died(11, now: 31 * Self.second) == [.signal(10, SIGTERM)])
        #expect(supervisor.wakeAt == 61 * Self.second)
    }

    @Test("A child that waits for its next start is not started any more when a stop was asked for")
    func stopForgetsPauses() {
        var supervisor = Supervisor([worker], jitter: { 0 })
        _ = supervisor.begin(now: 0)
        _ = supervisor.failedToStart(worker, now: 0)
        #expect(supervisor.stop(now: 1) == [.tell(.stopping), .exit(EXIT_SUCCESS)])
        #expect(supervisor.timePassed(now: 100 * Self.second) == [])
    }

    @Test("A process that was being started when the stop was asked for is told to stop as soon as it is there")
    func stopsALateStart() {
        var supervisor = Supervisor([worker], jitter: { 0 })
        _ = supervisor.begin(now: 0)
        #expect(supervisor.stop(now: 1) == [.tell(.stopping)])
        #expect(supervisor.started(worker, 11, now: 2) == [.signal(11, SIGTERM)])
        #expect(supervisor.died(11, now: 3) == [.exit(EXIT_SUCCESS)])
    }
}
