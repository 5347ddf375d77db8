import Glibc
import Testing

@testable import mesher_watchdog

struct ReplacementsTests {
    private static let second: Int64 = 1_000_000_000
    private let storage = Child(role: .storage, number: 0)
    private let worker = Child(role: .worker(.events), number: 0)
    private let other = Child(role: .worker(.events), number: 1)
    private let bulk = Child(role: .worker(.bulk), number: 0)

    /// Storage is process 10, the workers 11 and 12, all ready at 0.
    private func running() -> Supervisor {
        var supervisor = Supervisor([storage, worker, other], jitter: { 0 })
        _ = supervisor.begin(now: 0)
        for (child, pid) in [(storage, pid_t(10)), (worker, 11), (other, 12)] {
            _ = supervisor.started(child, pid, now: 0)
            _ = supervisor.ready(pid, now: 0)
        }
        return supervisor
    }

    private func become(_ supervisor: inout Supervisor, _ child: Child, _ pid: pid_t) -> [Supervisor.Action] {
        _ = supervisor.started(child, pid, now: 0)
        return supervisor.ready(pid, now: 0)
    }

    @Test("A reload replaces one after the other, none before its successor is ready, storage last and stopped first")
    func replacesOneByOne() {
        var supervisor = running()
        #expect(supervisor.reload([storage, worker, other], now: 0) == [.start(worker)])
        #expect(supervisor.started(worker, 21, now: 0) == [])
        #expect(supervisor.ready(21, now: 0) == [.signal(11, SIGTERM)])
        #expect(supervisor.died(11, now: 1) == [.start(other)])
        #expect(become(&supervisor, other, 22) == [.signal(12, SIGTERM)])
        #expect(supervisor.died(12, now: 2) == [.signal(10, SIGTERM)])
        #expect(supervisor.died(10, now: 3) == [.start(storage)])
        #expect(become(&supervisor, storage, 20) == [.endReload(nil)])
        #expect(supervisor.wakeAt == nil)
    }

    @Test("A successor that dies before it is ready ends the reload, and the old process goes on")
    func failsWithASuccessorThatDies() {
        var supervisor = running()
        _ = supervisor.reload([storage, worker, other], now: 0)
        _ = supervisor.started(worker, 21, now: 0)
        #expect(supervisor.died(21, now: 1) == [.tell(.notReplaced(worker)), .endReload(.died(worker))])
        #expect(supervisor.child(servedBy: 11) == worker)
        #expect(!supervisor.isReloading)
    }

    @Test("A successor that does not become ready is killed, and the reload ends")
    func failsWithASuccessorThatHangs() {
        var supervisor = running()
        _ = supervisor.reload([storage, worker, other], now: 0)
        _ = supervisor.started(worker, 21, now: 0)
        #expect(supervisor.wakeAt == Replacements.patience)
        #expect(
            supervisor.timePassed(now: Replacements.patience) == [
                .signal(21, SIGKILL), .tell(.notReplaced(worker)), .endReload(.notReady(worker)),
            ])
        #expect(supervisor.died(21, now: Replacements.patience) == [])
        #expect(supervisor.child(servedBy: 11) == worker)
    }

    @Test("An old process that dies while its successor starts is not started again")
    func oldDiesFirst() {
        var supervisor = running()
        _ = supervisor.reload([worker], now: 0)
        _ = supervisor.started(worker, 21, now: 0)
        #expect(supervisor.died(11, now: 2 * Self.second) == [])
        #expect(supervisor.ready(21, now: 2 * Self.second).contains(.endReload(nil)))
    }

    @Test("An old process that does not end within thirty seconds is killed")
    func killsOldProcess() {
        var supervisor = running()
        _ = supervisor.reload([worker], now: 0)
        _ = become(&supervisor, worker, 21)
        #expect(supervisor.wakeAt == Supervisor.endPatience)
        #expect(
            supervisor.timePassed(now: Supervisor.endPatience) == [.tell(.killing(worker, 11)), .signal(11, SIGKILL)])
    }

    @Test("A reload with another number of workers adds what is missing, and takes away what is too much at its end")
    func changesTheNumberOfWorkers() {
        var supervisor = running()
        #expect(supervisor.reload([storage, worker, bulk], now: 0) == [.start(worker)])
        _ = become(&supervisor, worker, 21)
        #expect(supervisor.died(11, now: 0) == [.start(bulk)])
        #expect(become(&supervisor, bulk, 31) == [.signal(10, SIGTERM)])
        _ = supervisor.died(10, now: 0)
        #expect(become(&supervisor, storage, 20) == [.signal(12, SIGTERM), .endReload(nil)])
        #expect(supervisor.died(12, now: 5) == [])
        #expect(supervisor.readyCount { $0.role == .worker(.events) } == 1)
    }

    @Test("A reload that is stopped has an end, too")
    func stopEndsReload() {
        var supervisor = running()
        _ = supervisor.reload([storage, worker, other], now: 0)
        _ = supervisor.started(worker, 21, now: 0)
        #expect(
            supervisor.stop(now: 0) == [
                .endReload(.stopping), .tell(.stopping), .signal(11, SIGTERM), .signal(21, SIGTERM),
                .signal(12, SIGTERM),
            ])
    }

    @Test("A single process is replaced in the same way; one whose successor could not live is left alone for a while")
    func replacesOne() {
        var supervisor = running()
        #expect(supervisor.replace(11, now: 0) == [.start(worker)])
        #expect(supervisor.replace(11, now: 0) == [])
        _ = supervisor.started(worker, 21, now: 0)
        #expect(supervisor.died(21, now: 0) == [.tell(.notReplaced(worker))])
        #expect(supervisor.replace(11, now: RestartPolicy.shortestPause - 1) == [])
        #expect(supervisor.replace(11, now: RestartPolicy.shortestPause) == [.start(worker)])
    }

    @Test("A stuck worker is aborted and replaced at once, and killed when it does not even abort")
    func abortsStuckWorker() {
        var supervisor = running()
        #expect(supervisor.stuck(11, now: 0) == [.signal(11, SIGABRT), .start(worker)])
        _ = become(&supervisor, worker, 21)
        #expect(supervisor.wakeAt == Self.second)
        #expect(supervisor.timePassed(now: Self.second) == [.tell(.killing(worker, 11)), .signal(11, SIGKILL)])
        #expect(supervisor.died(11, now: Self.second) == [])
        #expect(supervisor.child(servedBy: 21) == worker)
    }

    @Test("A stuck storage has ended before the next one starts")
    func abortsStuckStorage() {
        var supervisor = running()
        #expect(supervisor.stuck(10, now: 0) == [.signal(10, SIGABRT)])
        #expect(supervisor.timePassed(now: Self.second) == [.tell(.killing(storage, 10)), .signal(10, SIGKILL)])
        #expect(supervisor.died(10, now: Self.second) == [.start(storage)])
    }

    @Test("One worker more gets the first free number; one less is the last, and the only one stays")
    func addsAndRemovesWorkers() {
        var supervisor = running()
        let third = Child(role: .worker(.events), number: 2)
        #expect(supervisor.addWorker(now: 0) == [.start(third)])
        _ = become(&supervisor, third, 13)
        #expect(supervisor.removeWorker(now: 0) == [.signal(13, SIGTERM)])
        #expect(supervisor.removeWorker(now: 0) == [.signal(12, SIGTERM)])
        #expect(supervisor.removeWorker(now: 0) == [])
        #expect(supervisor.died(12, now: 9 * Self.second) == [])
        #expect(supervisor.addWorker(now: 0) == [.start(other)])
    }

    @Test("It serves when storage and a worker of each kind are ready")
    func serves() {
        var supervisor = running()
        #expect(supervisor.isServing)
        _ = supervisor.died(12, now: 2 * Self.second)
        #expect(supervisor.isServing)
        _ = supervisor.died(11, now: 2 * Self.second)
        #expect(!supervisor.isServing)
    }
}
