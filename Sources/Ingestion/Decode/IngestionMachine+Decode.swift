internal import Scoreboard
internal import StorageChannel

/// Decode: bodies take turns, and each is decoded once its project is known.
extension IngestionMachine {
    /// All requests without a key before their body is decoded count as one more project, with a number that none has.
    static var strangers: Int64 { 0 }

    /// Whether bodies wait for their turn.
    package var hasWork: Bool { !turns.isEmpty }

    /// Whether the next body may be costly while requests of other projects are on their way through Redis and storage.
    /// Those come back within a millisecond or two, and would wait for that body each time.
    package var shouldYield: Bool {
        guard let (submission, project) = turns.first, !submission.isPlain else { return false }
        return inFlight.hasEvents(ofOthersThan: project)
    }

    /// Whether a request must be handled alone: until that is over no other may be received.
    package var wantsSolitude: Bool { trials.wantSolitude }

    /// Handles waiting bodies for one slice of time. Then further requests may have arrived, and some of them go first.
    ///
    /// - Returns: the bytes of those that go on, decoded.
    package mutating func work(now: Int64) -> Int {
        guard let share = options.share else { return 0 }
        var bytes = 0
        var cost: Int64 = 0
        while cost < share.slice, let (submission, _) = turns.popFirst() {
            guard !submission.isAnswered else { continue }
            let quota = submission.queuedQuota
            cost += work(on: submission, quota, now: now)
            guard quota != nil else { continue }
            bytes += submission.bytes
            // They are parsed as soon as Redis grants them.
            cost += Int64(submission.bytes) * ProcessorShare.perByte
        }
        return bytes
    }

    /// Decodes one submission, and charges its project. If its project is unknown, looks for its key.
    ///
    /// - Returns: nanoseconds of processor time.
    mutating func work(on submission: Submission, _ quota: ProjectQuota?, now: Int64) -> Int64 {
        let received = Int64(submission.bytes)
        let begun = submission.isPlain ? nil : options.processorTime()
        if let quota { decode(submission, quota, now: now) } else { identify(submission, now: now) }
        let cost = begun.map { options.processorTime() - $0 } ?? received * ProcessorShare.perByte
        turns.charge(quota?.project ?? Self.strangers, cost + ProcessorShare.perRequest)
        return cost
    }

    /// Charges a project for the time since a moment.
    mutating func charge(_ project: Int64, since begun: Int64) {
        guard options.share != nil else { return }
        turns.charge(project, options.processorTime() - begun)
    }

    /// There is no room for further requests: the project with the most waiting, if it has waited too long, loses its
    /// last request.
    ///
    /// - Parameter byBytes: room for bytes is needed, not for requests.
    /// - Returns: false when there is no such project.
    package mutating func makeRoom(byBytes: Bool, now: Int64) -> Bool {
        guard let share = options.share else { return false }
        let moment = now - share.patience
        while let submission = turns.popLast(byBytes: byBytes, waitingSince: moment) {
            guard !submission.isAnswered else { continue }
            refuse(submission, .unavailable)
            return true
        }
        return false
    }

    /// Decodes a submission's body and finds its events, unless its project's window is known to be exhausted.
    mutating func decode(_ submission: Submission, _ quota: ProjectQuota, now: Int64) {
        submission.quota = nil
        if let left = ledger.exhaustion(of: quota.project, now: now) {
            submission.quota = QuotaStatus(
                quota, remaining: 0, milliseconds: UInt32(clamping: (left + 999_999) / 1_000_000))
            // The limit does not apply to what an envelope holds besides events.
            if submission.head.format != .envelope { return refuse(submission, .rateLimited) }
        }
        guard mayExecute(submission, quota) else { return }
        beginExecuting(submission)
        defer { slot?.finishExecuting() }
        do throws(Refusal) {
            let body = try decoder.decode(submission.takeBody(), of: submission.head)
            if body.eventCount == 0 { return complete(submission, HandedEvents([], of: body.envelope)) }
            if submission.quota != nil { return refuse(submission, .rateLimited) }
            inFlight.move(submission, to: .limiting(body))
        } catch {
            return options.handsOnLarge && error == .tooCostly ? handOn(submission) : refuse(submission, error)
        }
        ledger.gather(submission, quota)
    }

    /// What an envelope's header says, for a request that shows no key otherwise.
    mutating func envelopeHeader(of submission: Submission) throws(Refusal) -> Envelope {
        // Nothing waits to be tried alone before its project is known.
        guard judge(submission, project: 0) != .poison else { throw .poison }
        beginExecuting(submission)
        defer { slot?.finishExecuting() }
        let encoding = try submission.head.encoding.get()
        let header = try submission.withBody { (bytes) throws(Refusal) in
            try decoder.envelopeHeader(bytes, encoding)
        }
        guard let header else { throw .unauthorized }
        return header
    }

    /// Says which request's body is being handled, in case it ends this process.
    private func beginExecuting(_ submission: Submission) {
        slot?.beginExecuting(submission.head.requestID, submission.mark)
        #if DEBUG
            submission.withBody(InjectedFault.act)
        #endif
    }

    // MARK: Suspicion

    /// Whether a request's body may be handled now. Otherwise it was refused because it has killed processes, or waits
    /// until it is the only one because it may.
    private mutating func mayExecute(_ submission: Submission, _ quota: ProjectQuota) -> Bool {
        switch judge(submission, project: quota.project) {
        case .innocent: return true
        case .suspect:
            if trials.isTrying(submission) { return true }
            inFlight.move(submission, to: .suspected(.init(submission.takeBody(), of: quota)))
            trials.append(submission)
        case .poison: refuse(submission, .poison)
        }
        return false
    }

    /// What is known about a request. Marks its body so that it would be recognised.
    ///
    /// - Parameter project: 0 while it is not known.
    private func judge(_ submission: Submission, project: Int64) -> Suspects.Verdict {
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
        guard let submission = trials.begin(inFlight: inFlight.count) else { return }
        _ = work(on: submission, submission.queuedQuota, now: now)
    }
}
