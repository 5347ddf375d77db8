internal import Scoreboard
internal import StorageChannel

/// Before anything looks at a body: whether it may be what killed a process. Such a request is retried once with no
/// other in flight, and then refused.
extension IngestionMachine {
    /// Whether a request must be handled alone: until that is over no other may be received.
    package var wantsSolitude: Bool {
        trial != nil || !suspected.isEmpty
    }

    /// Whether a request's body may be handled now; otherwise it was refused, or waits until it is the only one.
    mutating func mayExecute(_ submission: Submission, _ quota: ProjectQuota) -> Bool {
        switch judge(submission, project: quota.project) {
        case .innocent: return true
        case .suspect:
            if trial == submission.serial { return true }
            suspected.append((submission, quota))
        case .poison: refuse(submission, .poison)
        }
        return false
    }

    /// What is known about a request. Marks its body so that it would be recognised.
    ///
    /// - Parameter project: 0 while it is not known.
    func judge(_ submission: Submission, project: Int64) -> Suspects.Verdict {
        submission.mark = BodyMark(project: project, size: submission.bytes)
        guard !suspects.isEmpty else { return .innocent }
        let (verdict, mark) = suspects.verdict(on: submission.head.requestID, submission.mark) {
            submission.withBody(BodyMark.hash) ?? 0
        }
        submission.mark = mark
        return verdict
    }

    /// Tries the next request under suspicion when nothing else is in flight.
    mutating func beginTrial(now: Int64) {
        if let serial = trial, submissions[serial] == nil { trial = nil }
        guard trial == nil, !suspected.isEmpty else { return }
        suspected.removeAll { submissions[$0.submission.serial] == nil }
        guard !suspected.isEmpty, submissions.count == suspected.count else { return }
        let next = suspected.removeFirst()
        trial = next.submission.serial
        _ = work(on: next.submission, next.quota, now: now)
    }
}
