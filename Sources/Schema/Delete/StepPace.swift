/// How much work on the events a statement does at once, and how long it is followed by nothing, so that intake keeps most of
/// PostgreSQL for itself. A pure value; durations are nanoseconds.
///
/// A step that PostgreSQL needs longer for, because of its load or because the rows are large, is followed by a longer pause
/// and by smaller steps.
package struct StepPace: Equatable, Sendable {
    /// How long a step should take: as long as a commit of storage or two. Whoever comes meanwhile waits for part of it.
    static let target: Int64 = 5_000_000
    /// A pause is so many times as long as the step before it: this work gets a quarter of one session's time.
    static let rest: Int64 = 3
    static let longestPause: Int64 = 5_000_000_000
    /// A pause is so many times as long as this process has waited for a processor.
    static let courtesy: Int64 = 5
    static let bounds = 100...20_000

    /// The rows to look at in the next step.
    package private(set) var rows = 500

    package init() {}

    /// Takes how long a step took, and returns how long to pause.
    package mutating func took(_ duration: Int64) -> Int64 {
        let duration = max(duration, 1)
        // At most twice as many, so that one step that was quick by chance is not followed by one that is slow.
        let fitting = Double(rows) * min(max(Double(Self.target) / Double(duration), 0.1), 2)
        rows = min(max(Int(fitting), Self.bounds.lowerBound), Self.bounds.upperBound)
        return min(duration, Self.longestPause / Self.rest) * Self.rest
    }

    /// How long to pause after work of this process itself: not at all where a processor was free for it, and the longer the
    /// more others wanted one. A low priority does not say that, since it counts among the processes of one session or service.
    ///
    /// - Parameters:
    ///   - duration: how long it took.
    ///   - processor: for how long of that it had a processor.
    package static func pause(after duration: Int64, processor: Int64) -> Int64 {
        let waited = max(0, duration.subtractingReportingOverflow(processor).partialValue)
        return min(waited, longestPause / courtesy) * courtesy
    }
}
