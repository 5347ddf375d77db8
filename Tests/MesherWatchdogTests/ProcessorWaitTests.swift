import Glibc
import Testing

@testable import Scoreboard
@testable import mesher_watchdog

struct ProcessorWaitTests {
    private let limits = ServiceLimits(executing: 5, heartbeat: 30)
    private let begun = Vitals(heartbeat: 90, execution: Vitals.Execution(request: 1, since: 100))

    private func sample(_ at: Int64, runnable: Bool = true, ran: Int64, waited: Int64? = 0) -> ProcessorWait.Sample {
        ProcessorWait.Sample(at: at, isRunnable: runnable, ran: ran, waited: waited)
    }

    @Test("A body that has had the processor for too long is stuck, however slowly it got it")
    func counts() {
        var wait = ProcessorWait()
        wait.note(sample(100, ran: 0), begun)
        wait.note(sample(110, ran: 5), begun)
        #expect(limits.standstill(begun, wait, now: 110) == nil)
        wait.note(sample(112, ran: 6), begun)
        #expect(limits.standstill(begun, wait, now: 112) == .executing(1, 6))
    }

    @Test("A process that others keep from the processor is never stuck")
    func starved() {
        var wait = ProcessorWait()
        for at in stride(from: Int64(100), to: 1_000, by: 10) {
            wait.note(sample(at, ran: 3), begun)
            #expect(limits.standstill(begun, wait, now: at) == nil)
        }
        #expect(wait.whileExecuting == 890 && wait.sinceHeartbeat == 890)
    }

    @Test("One that sleeps now is excused for what it waited, by the kernel's own count, and for nothing else")
    func blocked() {
        var wait = ProcessorWait()
        wait.note(sample(100, runnable: false, ran: 0, waited: 50), begun)
        wait.note(sample(110, runnable: false, ran: 1, waited: 57), begun)
        #expect(limits.standstill(begun, wait, now: 110) == nil)
        wait.note(sample(114, runnable: false, ran: 1, waited: 57), begun)
        #expect(limits.standstill(begun, wait, now: 114) == .executing(1, 7))
        // A kernel that does not count it.
        var blind = ProcessorWait()
        blind.note(sample(100, runnable: false, ran: 0, waited: nil), begun)
        blind.note(sample(106, runnable: false, ran: 0, waited: nil), begun)
        #expect(limits.standstill(begun, blind, now: 106) == .executing(1, 6))
    }

    @Test("What was waited belongs to the body in which it was, and to the turn of the loop")
    func belongs() {
        var wait = ProcessorWait()
        wait.note(sample(100, ran: 0), begun)
        wait.note(sample(120, ran: 0), begun)
        let next = Vitals(heartbeat: 90, execution: Vitals.Execution(request: 2, since: 125))
        wait.note(sample(130, ran: 8), next)
        #expect(wait.whileExecuting == 2 && wait.sinceHeartbeat == 22)
        #expect(limits.standstill(next, wait, now: 132) == nil)
        #expect(limits.standstill(next, wait, now: 133) == .executing(2, 6))
        wait.note(sample(140, runnable: false, ran: 9, waited: 0), Vitals(heartbeat: 139, execution: nil))
        #expect(wait.whileExecuting == 0 && wait.sinceHeartbeat == 0)
    }

    @Test("Numbers that the kernel did not mean are no wait, or no longer than the time itself")
    func bounds() {
        var wait = ProcessorWait()
        wait.note(sample(100, runnable: false, ran: 50, waited: 50), begun)
        wait.note(sample(110, runnable: false, ran: 50, waited: 500), begun)
        #expect(wait.whileExecuting == 10)
        wait.note(sample(120, ran: 500), begun)
        #expect(wait.whileExecuting == 10)
        wait.note(sample(115, ran: 0), begun)
        #expect(wait.whileExecuting == 10)
    }

    @Test("proc(5) is read whatever a program is called, and without schedstat too")
    func parses() {
        let stat = Array("7 (a) R (b) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 1 0\n".utf8)
        let sample = ProcessorWait.Sample(at: 9, stat: stat, schedstat: Array("1234 567 8\n".utf8), ticks: 100)
        #expect(sample == ProcessorWait.Sample(at: 9, isRunnable: false, ran: 1_234, waited: 567))
        for missing in [nil, Array("0 0 0\n".utf8), Array("x".utf8)] as [[UInt8]?] {
            let sample = ProcessorWait.Sample(at: 9, stat: stat, schedstat: missing, ticks: 100)
            #expect(sample == ProcessorWait.Sample(at: 9, isRunnable: false, ran: 1_750_000_000, waited: nil))
        }
        #expect(ProcessorWait.Sample(at: 9, stat: Array("7 (a) R 1".utf8), schedstat: nil, ticks: 100) == nil)
        #expect(ProcessorWait.Sample(at: 9, stat: [], schedstat: nil, ticks: 100) == nil)
    }

    @Test("A process of this machine is read, and one that does not exist is not")
    func real() throws {
        let sample = try #require(ProcessorWait.Sample.of(getpid()))
        #expect(sample.ran > 0 && sample.waited != nil && sample.at > 0)
        #expect(ProcessorWait.Sample.of(0) == nil)
    }
}
