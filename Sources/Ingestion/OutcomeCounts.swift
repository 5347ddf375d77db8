package import Scoreboard

/// How the events of one request ended. A request that was refused before its events were counted counts as one event.
package enum OutcomeCounts: Equatable, Sendable {
    /// It carried none.
    case noEvents
    case all(Outcome, count: Int)
    /// How many ended in each outcome, by its place.
    case each([Int])

    /// - Parameter events: the outcomes; pending events are not counted.
    init(_ events: [HandedEvents.Outcome]) {
        var counts = [Int](repeating: 0, count: DiscardReason.allCases.count + 1)
        for event in events {
            switch event {
            case .accepted: counts[Outcome.accepted.place] += 1
            case .refused(let refusal): counts[Outcome.discarded(refusal.reason).place] += 1
            case .pending: break
            }
        }
        self = .each(counts)
    }

    /// - Parameter envelope: the envelope they came in, with its other items.
    init(_ events: [HandedEvents.Outcome], _ envelope: EnvelopeSummary?) {
        self.init(events)
        guard let envelope, case .each(var counts) = self else { return }
        counts[Outcome.discarded(.unsupportedItem).place] += envelope.unsupported
        counts[Outcome.discarded(.surplusEvent).place] += envelope.surplus
        self = .each(counts)
    }

    /// The number of events with this outcome.
    func count(of outcome: Outcome) -> Int {
        switch self {
        case .noEvents: 0
        case .all(let all, let count): all == outcome ? count : 0
        case .each(let counts): counts[outcome.place]
        }
    }

    /// How many were accepted.
    package var accepted: Int {
        switch self {
        case .all(.accepted, let count): count
        case .noEvents, .all: 0
        case .each(let counts): counts[Outcome.accepted.place]
        }
    }

    /// Adds them to the counters of a process.
    package func count(in slot: ProcessSlot) {
        switch self {
        case .noEvents: break
        case .all(let outcome, let count): slot.countEvents(count, outcome: outcome.place)
        case .each(let counts):
            for (place, count) in counts.enumerated() where count > 0 { slot.countEvents(count, outcome: place) }
        }
    }
}

extension Outcome {
    /// Its place among the counters of a process.
    var place: Int {
        switch self {
        case .accepted: OutcomeLabels.accepted
        case .discarded(let reason):
            OutcomeLabels.discarded(DiscardReason.allCases.firstIndex(of: reason) ?? DiscardReason.allCases.count)
        }
    }
}
