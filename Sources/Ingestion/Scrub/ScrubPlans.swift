internal import StorageChannel

/// The plans of projects, by their rules, so that none is made for each event.
struct ScrubPlans: ~Copyable {
    /// The most that are kept.
    private static let limit = 256

    private var plans: [ScrubRules: ScrubPlan] = [:]

    /// Nil when nothing is to be removed.
    mutating func plan(for rules: ScrubRules) -> ScrubPlan? {
        guard !rules.isOff else { return nil }
        if let plan = plans[rules] { return plan }
        if plans.count >= Self.limit { plans.removeAll() }
        let plan = ScrubPlan(rules)
        plans[rules] = plan
        return plan
    }
}
