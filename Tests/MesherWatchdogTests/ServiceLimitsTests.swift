import Testing

@testable import Scoreboard
@testable import mesher_watchdog

struct ServiceLimitsTests {
    private let limits = ServiceLimits(executing: 5, heartbeat: 30)

    @Test("A process is stuck when it handles one body for too long, however its loop is")
    func executing() {
        let vitals = Vitals(heartbeat: 100, execution: Vitals.Execution(request: 0xab, since: 100))
        #expect(limits.standstill(vitals, ProcessorWait(), now: 105) == nil)
        #expect(limits.standstill(vitals, ProcessorWait(), now: 106) == .executing(0xab, 6))
    }

    @Test("A process is stuck when its loop stands still, and not before it has begun")
    func heartbeat() {
        #expect(limits.standstill(Vitals(heartbeat: 100, execution: nil), ProcessorWait(), now: 130) == nil)
        #expect(limits.standstill(Vitals(heartbeat: 100, execution: nil), ProcessorWait(), now: 131) == .heartbeat(31))
        #expect(limits.standstill(Vitals(heartbeat: nil, execution: nil), ProcessorWait(), now: 1_000) == nil)
    }

    @Test("A process is used up by its requests or its memory; 0 is no limit, and what is unknown counts for nothing")
    func usedUp() {
        #expect(!limits.isUsedUp(answered: .max, resident: .max))
        let both = ServiceLimits(executing: 5, heartbeat: 30, requests: 10, memory: 100)
        #expect(!both.isUsedUp(answered: 9, resident: 100))
        #expect(both.isUsedUp(answered: 10, resident: nil))
        #expect(both.isUsedUp(answered: 0, resident: 101))
        #expect(!both.isUsedUp(answered: 0, resident: nil))
    }

    @Test("The operator reads which request it was")
    func describes() {
        let standstill = ServiceLimits.Standstill.executing(0xab, 6_000_000_000)
        #expect("\(standstill)" == "handles request 000000000000000000000000000000ab for 6 s")
    }
}
