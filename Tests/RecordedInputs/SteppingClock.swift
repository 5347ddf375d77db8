import Synchronization

/// A clock that goes forward by so much each time it is read.
package final class SteppingClock: Sendable {
    private let step: Int64
    private let now = Atomic<Int64>(0)

    package init(_ step: Int64) {
        self.step = step
    }

    /// How often it was read.
    package var readings: Int { Int(now.load(ordering: .relaxed) / max(step, 1)) }

    package func read() -> Int64 {
        now.add(step, ordering: .relaxed).newValue
    }
}
