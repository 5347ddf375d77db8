package import StorageChannel

/// Store: handing events to storage, and its answers.
extension IngestionMachine {
    /// Storage is connected: sends or resends everything that it has not answered.
    package mutating func storageConnected() {
        storage.isConnected = true
        if storage.redisFailure != nil || storage.redisEviction != nil {
            toStorage.write { $0.redis(failure: storage.redisFailure, eviction: storage.redisEviction) }
        }
        for key in authenticator.openQuestions() { toStorage.write { $0.lookUp(key) } }
        for submission in inFlight.inOrder {
            if let frames = submission.unansweredFrames { toStorage.append(frames) }
        }
    }

    /// Storage is gone: the cached keys may be out of date when it is back.
    package mutating func storageLost() {
        storage.isConnected = false
        storage.isDraining = false
        giveUpProbes(until: .max)
        toStorage.removeAll()
        authenticator.forgetAll()
    }

    /// The state of Redis, as the loop sees it. Storage is told of each change, and logs for all edges of this host.
    ///
    /// - Parameters:
    ///   - failure: why it does not answer; nil when it does.
    ///   - eviction: its eviction policy, if it evicts counters.
    package mutating func noteRedis(failure: String?, eviction: String? = nil) {
        guard storage.noteRedis(failure: failure, eviction: eviction) else { return }
        if storage.isConnected { toStorage.write { $0.redis(failure: failure, eviction: eviction) } }
    }

    /// A frame from storage.
    ///
    /// - Returns: false when it is malformed; the connection should then be closed.
    package mutating func receive(_ kind: FrameKind, _ bytes: UnsafeRawBufferPointer, now: Int64) -> Bool {
        var content = FrameContent(bytes)
        switch kind {
        case .hello:
            let theirs = content.integer(UInt16.self)
            storage.version = min(theirs, Frame.version)
            return theirs >= Frame.oldestVersion
        case .stored:
            while !content.isAtEnd {
                let ticket = content.integer(UInt64.self)
                let result = content.integer(UInt8.self)
                let retryAfter = content.integer(UInt32.self)
                guard content.isIntact, let result = StoreResult(rawValue: result) else { return false }
                stored(ticket, result, retryAfter: retryAfter)
            }
        case .key:
            let key = content.key()
            let state = content.integer(UInt8.self)
            let quota = content.quota(version: storage.version)
            guard content.isIntact, let state = KeyState(rawValue: state) else { return false }
            receiveKey(key, state, quota, now: now)
        case .readiness:
            let (serial, _) = Submission.parts(of: content.integer())
            let accepts = content.integer(UInt8.self) == 1
            let degradation = Degradation(rawValue: content.integer())
            guard content.isIntact else { return false }
            storage.isDraining = degradation.contains(.draining)
            // Such keys may exist by now.
            if degradation.contains(.postgresql) { authenticator.forgetUnknown() }
            if let submission = storage.answered(serial), !submission.isAnswered {
                finish(submission, .readiness(accepts, degraded: degraded(degradation)))
            }
        case .store, .lookUpKey, .probe, .redis:
            return false
        }
        return true
    }

    private mutating func stored(_ ticket: UInt64, _ result: StoreResult, retryAfter: UInt32) {
        let (serial, position) = Submission.parts(of: ticket)
        guard let submission = inFlight[serial],
            let events = submission.settle(position, result, retryAfter: retryAfter)
        else { return }
        complete(submission, events)
    }

    // MARK: Readiness

    /// Whether the operator takes this host out of service. Events are refused before Redis counts them, since the host
    /// that takes them has them counted.
    package var isDraining: Bool { storage.isDraining }

    /// Asks storage whether it could store an event.
    mutating func probe(_ submission: Submission, now: Int64) {
        guard storage.isConnected else {
            return commands.append(.answer(token: submission.token, .readiness(false, degraded: degraded([]))))
        }
        inFlight.admit(submission)
        storage.ask(for: submission, until: now + options.probePatience)
        toStorage.write { $0.probe(submission.ticket(0)) }
    }

    mutating func giveUpProbes(until now: Int64) {
        while let submission = storage.nextOverdue(at: now) {
            if submission.isAnswered { continue }
            finish(submission, .readiness(false, degraded: degraded([])))
        }
    }

    private func degraded(_ degradation: Degradation) -> [StaticString] {
        let all = storage.redisFailure == nil ? degradation : degradation.union(.redis)
        return Degradation.names.filter { all.contains($0.what) }.map(\.name)
    }
}
