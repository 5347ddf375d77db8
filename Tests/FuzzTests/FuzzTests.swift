import RecordedInputs
import Testing

@testable import fuzz

/// A short run of what `make fuzz` does for long. An input that harms ends the test process.
@Suite struct FuzzTests {
    @Test("Damaged input harms no parser", .serialized, arguments: FuzzTarget.allCases)
    func damaged(target: FuzzTarget) {
        let consume = target.makeConsumer()
        target.seeds.forEach(consume)
        var mutations = Mutations(of: target.seeds, seed: 1)
        for _ in 0..<2_000 { consume(mutations.next()) }
    }
}
