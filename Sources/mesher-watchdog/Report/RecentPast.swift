internal import Scoreboard

/// What was counted in the last 15 minutes, in steps of five seconds: for somebody who looks after something has happened.
struct RecentPast {
    /// Everything counted so far, at one moment.
    struct Totals {
        /// By the places of `OutcomeLabels`.
        let outcomes: [UInt64]
        let durations: HistogramReading
        /// Events of the spool that PostgreSQL has committed.
        let delivered: UInt64
    }

    /// What one step has added.
    struct Step {
        let seconds: Double
        let added: Totals
    }

    /// Nanoseconds.
    static let step: Int64 = 5_000_000_000
    static let capacity = 180
    /// So far a tick may come before its time.
    private static let tolerance: Int64 = 500_000_000

    /// The oldest first.
    private(set) var steps: [Step] = []
    private var last: (moment: Int64, totals: Totals)?

    /// Takes note of what has been counted; call it every second.
    ///
    /// - Parameter now: nanoseconds of the monotonic clock.
    mutating func note(_ totals: Totals, now: Int64) {
        guard let last else {
            self.last = (now, totals)
            return
        }
        let elapsed = now - last.moment
        guard elapsed >= Self.step - Self.tolerance else { return }
        // Whoever was suspended knows only the sum of what passed: it is spread evenly.
        let count = Int(min(max(elapsed / Self.step, 1), Int64(Self.capacity)))
        let added = totals.difference(to: last.totals, dividedBy: UInt64(count))
        let step = Step(seconds: Double(elapsed) / Double(count) / 1e9, added: added)
        steps.append(contentsOf: repeatElement(step, count: count))
        steps.removeFirst(max(steps.count - Self.capacity, 0))
        self.last = (now, totals)
    }

    /// The sum of the last steps.
    func sum(last count: Int = capacity) -> Totals? {
        let steps = steps.suffix(count)
        return steps.first.map { first in steps.dropFirst().reduce(first.added) { $0.sum(with: $1.added) } }
    }
}

extension RecentPast.Totals {
    /// What was counted since others. A count that went back, as one may that a process has spoiled, adds nothing; what is
    /// left can be added for 15 minutes and be shown in JSON.
    fileprivate func difference(to before: Self, dividedBy divisor: UInt64) -> Self {
        func difference(_ now: UInt64, _ before: UInt64) -> UInt64 {
            now > before ? min((now - before) / divisor, 1 << 44) : 0
        }
        return Self(
            outcomes: zip(outcomes, before.outcomes).map(difference),
            durations: HistogramReading(
                counts: zip(durations.counts, before.durations.counts).map(difference),
                sum: difference(durations.sum, before.durations.sum)),
            delivered: difference(delivered, before.delivered))
    }

    fileprivate func sum(with other: Self) -> Self {
        var durations = durations
        durations.add(other.durations)
        return Self(
            outcomes: zip(outcomes, other.outcomes).map { $0 &+ $1 }, durations: durations,
            delivered: delivered &+ other.delivered)
    }

    /// Events that were discarded for any of the reasons.
    func discarded(where isMeant: (String) -> Bool) -> UInt64 {
        OutcomeLabels.reasons.enumerated().reduce(0) { total, reason in
            isMeant(reason.element) ? total &+ outcomes[OutcomeLabels.discarded(reason.offset)] : total
        }
    }
}

extension HistogramReading {
    /// How many values were counted.
    var count: UInt64 { counts.reduce(0, &+) }

    /// The value below which a share of all values is, estimated within its class as Prometheus does; nil when there is no
    /// value. One beyond the last bound counts as that bound.
    func quantile(_ share: Double, _ histogram: Histogram) -> Double? {
        let rank = share * Double(count)
        guard rank > 0 else { return nil }
        var below = 0.0
        for (place, bound) in histogram.bounds.enumerated() where place < counts.count {
            let here = Double(counts[place])
            if here > 0, below + here >= rank {
                let floor = place > 0 ? Double(histogram.bounds[place - 1]) : 0
                return (floor + (Double(bound) - floor) * (rank - below) / here) / histogram.scale
            }
            below += here
        }
        return histogram.bounds.last.map { Double($0) / histogram.scale }
    }
}
