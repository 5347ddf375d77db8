internal import Scoreboard
internal import StorageChannel

/// Parse: from the bytes of each event to its record.
extension IngestionMachine {
    /// Parses the events of a submission that were granted, and hands them to storage. One that was answered meanwhile is
    /// left.
    mutating func parse(_ submission: Submission, _ quota: ProjectQuota, granted: Int, isCounted: Bool) {
        guard !submission.isAnswered, case .limiting(let body) = submission.beginHandling() else { return }
        slot?.beginExecuting(submission.head.requestID, submission.mark)
        defer { slot?.finishExecuting() }
        var flags: StoreFlags = isCounted ? .counted : []
        if submission.head.route == .bulk || body.count > Limits.smallBytes { flags.insert(.bulk) }
        let events = encoder.encode(body, of: submission, quota, granted: granted, flags: flags)
        if events.areSettled { return complete(submission, events) }
        if storage.isConnected { toStorage.append(events.frames) }
        inFlight.move(submission, to: .storing(events))
    }
}
