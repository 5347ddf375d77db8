/// The classes into which one quantity is counted.
package struct Histogram: Sendable {
    /// The upper bound of each class; larger values belong to one more class.
    package let bounds: [UInt64]
    /// Units of the histogram per unit of the metric: 1e9 for nanoseconds shown in seconds.
    package let scale: Double

    /// From reading a request to handing over its answer, in nanoseconds.
    package static let requestDuration = Histogram(
        bounds: [
            1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
            1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
        ], scale: 1e9)
    /// The events of one statement to PostgreSQL.
    package static let batchSize = Histogram(bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000], scale: 1)
    /// From sending a statement to its result, in nanoseconds.
    package static let commitDuration = Histogram(
        bounds: [
            500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
            500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000,
        ], scale: 1e9)

    /// The class of a value. Most values belong to the first classes, so a linear search is best.
    func place(of value: UInt64) -> Int {
        bounds.firstIndex { value <= $0 } ?? bounds.count
    }
}

/// What a histogram has counted.
package struct HistogramReading: Equatable, Sendable {
    /// How many values each class had, the unbounded one last.
    package var counts: [UInt64]
    /// The sum of all values, in the histogram's unit.
    package var sum: UInt64

    package init(counts: [UInt64], sum: UInt64) {
        self.counts = counts
        self.sum = sum
    }

    /// Adds what another slot has counted.
    package mutating func add(_ other: HistogramReading) {
        for (place, count) in other.counts.enumerated() where counts.indices.contains(place) {
            counts[place] &+= count
        }
        sum &+= other.sum
    }
}
