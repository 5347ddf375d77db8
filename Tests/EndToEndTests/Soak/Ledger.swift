import Foundation
import Synchronization

/// What the clients of a soak have sent and were answered, and what was done to the service meanwhile.
final class Ledger: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// The ways by which events come.
    enum Route: String, CaseIterable, Sendable {
        case single, bulk, stream
    }

    /// One fault, from its beginning until events that were sent after it were acknowledged on every route.
    struct Fault: Sendable {
        let kind: FaultKind
        let beganAt: Instant
        var missing = Set(Route.allCases)
        var recovery: Duration?
        /// The route that was the last one.
        var slowest: Route?
    }

    /// A copy of all there is.
    struct State: Sendable {
        /// By the event's number.
        var isAcknowledged: [Bool] = []
        /// What happened that the contract allows, and how often.
        var refusals: [String: Int] = [:]
        /// What it does not allow, the first of them in words.
        var violations: [String] = []
        var violationCount = 0
        var faults: [Fault] = []
        /// Places of those without recovery.
        fileprivate var open: [Int] = []

        var acknowledged: Int { isAcknowledged.count { $0 } }
    }

    private let content = Mutex(State())

    var state: State { content.withLock { $0 } }

    /// An event that was never sent.
    func next() -> SoakEvent {
        content.withLock {
            $0.isAcknowledged.append(false)
            return SoakEvent(number: $0.isAcknowledged.count - 1)
        }
    }

    /// One that was made before, and may have been acknowledged.
    func any() -> SoakEvent? {
        content.withLock { $0.isAcknowledged.indices.randomElement().map { SoakEvent(number: $0) } }
    }

    func acknowledged(_ event: SoakEvent, by route: Route, sentAt: Instant) {
        let now = ContinuousClock.now
        content.withLock { state in
            state.isAcknowledged[event.number] = true
            for place in state.open where state.faults[place].beganAt <= sentAt {
                state.faults[place].missing.remove(route)
                guard state.faults[place].missing.isEmpty else { continue }
                state.faults[place].recovery = now - state.faults[place].beganAt
                state.faults[place].slowest = route
            }
            state.open.removeAll { state.faults[$0].recovery != nil }
        }
    }

    /// Something that the contract allows.
    func refused(_ what: String) {
        content.withLock { $0.refusals[what, default: 0] += 1 }
    }

    /// Something that it does not allow.
    func violated(_ what: String) {
        content.withLock { state in
            state.violationCount += 1
            if state.violations.count < 20 { state.violations.append("\(state.faults.count) faults: \(what)") }
        }
    }

    func began(_ kind: FaultKind) {
        content.withLock {
            $0.open.append($0.faults.count)
            $0.faults.append(Fault(kind: kind, beganAt: .now))
        }
    }

    /// Whether events flow again after every fault.
    var isRecovered: Bool {
        content.withLock { $0.open.isEmpty }
    }
}
