import Glibc
import Testing

@testable import mesher_watchdog

struct StopSequenceTests {
    private let storage = Child(role: .storage, number: 0)
    private let worker = Child(role: .worker(.events), number: 0)
    private let bulk = Child(role: .worker(.bulk), number: 0)

    @Test("Edges end first, then storage")
    func ordersTheStages() {
        var sequence = StopSequence(exitStatus: 0, now: 0)
        #expect(sequence.includes(worker) && sequence.includes(bulk) && !sequence.includes(storage))
        sequence.advance(now: 1)
        #expect(!sequence.includes(worker) && sequence.includes(storage))
        sequence.advance(now: 2)
        #expect(sequence.stage == .finished)
        #expect(!sequence.includes(worker) && !sequence.includes(storage))
    }

    @Test("It only moves forward")
    func neverGoesBack() {
        var sequence = StopSequence(exitStatus: 0, now: 0)
        for moment in 1...5 { sequence.advance(now: Int64(moment)) }
        #expect(sequence.stage == .finished)
        #expect(sequence.killAt == nil)
    }

    @Test("Each stage has its own thirty seconds before it is killed, once")
    func losesPatienceOnceAStage() {
        var sequence = StopSequence(exitStatus: 0, now: 0)
        #expect(sequence.signal == SIGTERM)
        let losses = [-1, 0, 1].map { sequence.losesPatience(now: StopSequence.patience + $0) }
        #expect(losses == [false, true, false])
        #expect(sequence.signal == SIGKILL)
        sequence.advance(now: StopSequence.patience + 5)
        #expect(sequence.signal == SIGTERM)
        #expect(sequence.killAt == 2 * StopSequence.patience + 5)
    }
}
