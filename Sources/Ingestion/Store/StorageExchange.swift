package import StorageChannel

/// Store: handing events to storage, and its answers.
extension IngestionMachine {
    /// Storage is connected: sends or resends everything that it has not answered.
    package mutating func storageConnected() {
        isStorageConnected = true
        if let key = streamKey?.key { toStorage.lookUp(key) }
        if redisFailure != nil || redisEviction != nil {
            toStorage.redis(failure: redisFailure, eviction: redisEviction)
        }
        let inHand = submissions
        for (key, waiting) in waitingForKey {
            let stillWaiting = waiting.filter { inHand[$0.serial] != nil }
            waitingForKey[key] = stillWaiting.isEmpty ? nil : stillWaiting
            if !stillWaiting.isEmpty { toStorage.lookUp(key) }
        }
        for serial in oldestSerial..<(lastSerial + 1) {
            guard let submission = submissions[serial] else { continue }
            if submission.outstanding > 0 { toStorage.append(submission.frames) }
        }
    }

    /// Storage is gone: the cached keys may be out of date when it is back.
    package mutating func storageLost() {
        isStorageConnected = false
        giveUpProbes(until: .max)
        toStorage.removeAll()
        keys.forgetAll()
    }

    /// Whether Redis answers, as the loop sees it.
    package var isRedisAvailable: Bool { redisFailure == nil }

    /// The state of Redis. Storage is told of each change, and logs for all edges of this host.
    ///
    /// - Parameters:
    ///   - failure: why it does not answer; nil when it does.
    ///   - eviction: its eviction policy, if it evicts counters.
    package mutating func noteRedis(failure: String?, eviction: String? = nil) {
        guard failure != redisFailure || eviction != redisEviction else { return }
        redisFailure = failure
        redisEviction = eviction
        if isStorageConnected { toStorage.redis(failure: failure, eviction: eviction) }
    }

    /// A frame from storage.
    ///
    /// - Returns: false when it is malformed; the connection should then be closed.
    package mutating func receive(_ kind: FrameKind, _ bytes: UnsafeRawBufferPointer, now: Int64) -> Bool {
        var content = FrameContent(bytes)
        switch kind {
        case .hello:
            return content.integer(UInt16.self) >= Frame.oldestVersion
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
            let quota = ProjectQuota(
                project: content.integer(), events: content.integer(), seconds: content.integer(),
                origins: AllowedOrigins(content.remainder()))
            guard content.isIntact, let state = KeyState(rawValue: state) else { return false }
            receiveKey(key, state, quota, now: now)
        case .readiness:
            let (serial, _) = Submission.parts(of: content.integer())
            let accepts = content.integer(UInt8.self) == 1
            let degradation = Degradation(rawValue: content.integer())
            guard content.isIntact else { return false }
            // Such keys may exist by now.
            if degradation.contains(.postgresql) { keys.forgetUnknown() }
            probes.removeAll { $0.serial == serial }
            if let submission = submissions[serial] {
                finish(submission, .readiness(accepts, degraded: degraded(degradation)))
            }
        case .store, .lookUpKey, .probe, .redis:
            return false
        }
        return true
    }

    private mutating func stored(_ ticket: UInt64, _ result: StoreResult, retryAfter: UInt32) {
        let (serial, position) = Submission.parts(of: ticket)
        guard let submission = submissions[serial], position < submission.eventCount,
            case .pending = submission.events[position]
        else { return }
        switch result {
        case .durable: submission.events[position] = .accepted(submission.identifiers[position])
        case .unavailable: submission.events[position] = .refused(.unavailable)
        case .rateLimited: submission.events[position] = .refused(.rateLimited)
        }
        if result != .durable { submission.retryAfter = max(submission.retryAfter, retryAfter) }
        submission.outstanding -= 1
        if submission.outstanding == 0 { complete(submission) }
    }

    func degraded(_ degradation: Degradation) -> [StaticString] {
        let all = isRedisAvailable ? degradation : degradation.union(.redis)
        return Degradation.names.filter { all.contains($0.what) }.map(\.name)
    }
}
