internal import StorageChannel

/// Authenticate: from a request to the project it belongs to.
extension IngestionMachine {
    mutating func authenticate(_ submission: Submission, now: Int64) {
        guard options.share == nil || !submission.head.hidesKey else {
            return waiting.append((submission, nil), of: Self.strangers, bytes: submission.bytes, now: now)
        }
        identify(submission, now: now)
    }

    /// The key is known from the head, or is looked for in the body.
    mutating func identify(_ submission: Submission, now: Int64) {
        let key: KeyID
        do throws(Refusal) {
            key = try self.key(of: submission)
        } catch {
            return refuse(submission, error)
        }
        switch keys[key] {
        case .known(let quota): admit(submission, to: quota, now: now)
        case .unknown: refuse(submission, .unknownKey(submission.head.route.dialect))
        case nil:
            let isFirst = waitingForKey[key] == nil
            waitingForKey[key, default: []].append(submission)
            if isFirst && isStorageConnected { toStorage.lookUp(key) }
        }
    }

    /// The key of a request, from headers or query; for an envelope, otherwise from its header, the only thing that is
    /// decoded before the key is known.
    private mutating func key(of submission: Submission) throws(Refusal) -> KeyID {
        let head = submission.head
        guard !head.isVersionTooNew else { throw .newerVersion }
        var credential = head.credential
        if credential == .none, head.format == .envelope {
            let header = try header(of: submission)
            credential = header.credential
            submission.claim = header.project
        }
        switch credential {
        case .key(let key): return key
        case .malformed where head.route.dialect == .sentry: throw .malformedKey
        case .malformed, .none: throw .unauthorized
        }
    }

    mutating func receiveKey(_ key: KeyID, _ state: KeyState, _ quota: ProjectQuota, now: Int64) {
        let waiting = (waitingForKey.removeValue(forKey: key) ?? []).filter { isInHand($0) }
        streamKey?.learn(key, state, quota)
        let isWanted = !waiting.isEmpty || keys.remembers(key) || streamKey?.key == key
        switch state {
        case .known:
            if isWanted { keys.remember(key, .known(quota)) }
            ledger.forget(quota.project)
            for submission in waiting { admit(submission, to: quota, now: now) }
        case .unknown:
            if isWanted { keys.remember(key, .unknown) }
            for submission in waiting { refuse(submission, .unknownKey(submission.head.route.dialect)) }
        case .unavailable:
            for submission in waiting { refuse(submission, .unavailable) }
        }
    }

    /// The key is known. Its project must be the one that the request names, and must allow the page's origin.
    private mutating func admit(_ submission: Submission, to quota: ProjectQuota, now: Int64) {
        guard submission.head.route != .key else { return finish(submission, .keyIsKnown) }
        guard submission.head.target.project.allows(quota.project), submission.claim.allows(quota.project) else {
            return refuse(submission, .otherProject)
        }
        guard quota.origins.allows(submission.head.origin) else { return refuse(submission, .otherOrigin) }
        guard options.share != nil else { return prepare(submission, quota, now: now) }
        // A request that costs less than queueing it waits only if others do.
        guard !waiting.isEmpty || !submission.isPlain else {
            _ = work(on: submission, quota, now: now)
            return
        }
        waiting.append((submission, quota), of: quota.project, bytes: submission.bytes, now: now)
    }
}

extension Refusal {
    static let unauthorized = Refusal(.unauthorized, "unauthorized")
    static let malformedKey = Refusal(.invalidKey, "invalid sentry_key: must be 32 hex digits")
    static let newerVersion = Refusal(
        .invalidKey, "invalid sentry_version: must be at most \(KeyExtraction.newestVersion)")
    static let otherProject = Refusal(.forbidden, "the project is not that of the key")
    static let otherOrigin = Refusal(.forbidden, "the origin is not allowed")

    static func unknownKey(_ dialect: Dialect) -> Refusal {
        dialect == .sentry ? Refusal(.forbidden, "the key is unknown or revoked") : .unauthorized
    }
}
