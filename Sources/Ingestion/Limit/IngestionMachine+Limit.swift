internal import Scoreboard
internal import StorageChannel

/// Limit: which events of each project Redis grants.
extension IngestionMachine {
    /// Everything that was ready has been received: sends one call per project.
    package mutating func endTurn() {
        for call in ledger.callGathered() { commands.append(.count(call)) }
    }

    /// The script's result for a call; nil when Redis gave none, and the events go on uncounted.
    package mutating func receive(_ grant: LimitScript.Grant?, for call: UInt64, now: Int64) {
        guard let gathering = ledger.settle(call) else { return }
        let quota = gathering.quota
        let isPlain = options.share == nil || gathering.requests.allSatisfy { $0.submission.isPlain }
        let begun = isPlain ? nil : options.processorTime()
        defer { if let begun { charge(quota.project, since: begun) } }
        guard let grant else {
            for (submission, events) in gathering.requests {
                parse(submission, quota, granted: events, isCounted: false)
            }
            return
        }
        let end = now + Int64(grant.left) * 1_000_000
        nearLimits.note(
            NearLimits.Project(id: quota.project, used: grant.used, limit: quota.events, endsAt: end), now: now)
        let status = QuotaStatus(
            quota, remaining: quota.events - min(quota.events, grant.used), milliseconds: grant.left)
        if status.remaining == 0 { ledger.exhaust(quota.project, until: end) }
        var left = Int(grant.granted)
        for (submission, events) in gathering.requests {
            let granted = min(left, events)
            left -= granted
            submission.quota = status
            parse(submission, quota, granted: granted, isCounted: true)
        }
    }
}

extension QuotaStatus {
    init(_ quota: ProjectQuota, remaining: UInt32, milliseconds: UInt32) {
        limit = quota.events
        window = quota.seconds
        self.remaining = remaining
        reset = max(1, milliseconds / 1_000 + (milliseconds % 1_000 == 0 ? 0 : 1))
    }
}
