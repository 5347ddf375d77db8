package import StorageChannel

/// Authenticate: from a request to the project it belongs to.
extension IngestionMachine {
    /// From now on messages have this key. Storage is asked about it on each connection, and reports changes.
    package mutating func openStream(_ key: KeyID) {
        authenticator.openStream(key)
        if storage.isConnected { toStorage.write { $0.lookUp(key) } }
    }

    /// Storage's last answer about the stream's key; nil before the first.
    package var streamKeyStanding: StreamKeyStanding? { authenticator.stream?.standing }

    mutating func authenticate(_ submission: Submission, now: Int64) {
        guard options.share == nil || !submission.head.hidesKey else {
            return turns.append(submission, of: Self.strangers, bytes: submission.bytes, now: now)
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
        switch authenticator.use(key, at: submission.head.receivedAt) {
        case .known(let quota, let isFirst):
            // The answer changes nothing: that is how storage hears which keys are used.
            if isFirst && storage.isConnected { toStorage.write { $0.lookUp(key) } }
            admit(submission, to: quota, now: now)
        case .unknown: refuse(submission, .unknownKey(submission.head.route.dialect))
        case nil:
            let isFirst = authenticator.wait(submission, for: key)
            if isFirst && storage.isConnected { toStorage.write { $0.lookUp(key) } }
        }
    }

    /// The key of a request, from headers or query; for an envelope, otherwise from its header, the only thing that is
    /// decoded before the key is known.
    private mutating func key(of submission: Submission) throws(Refusal) -> KeyID {
        let head = submission.head
        guard !head.isVersionTooNew else { throw .newerVersion }
        var credential = head.credential
        if credential == .absent, head.format == .envelope {
            let header = try envelopeHeader(of: submission)
            credential = header.credential
            submission.claim = header.project
        }
        switch credential {
        case .key(let key): return key
        case .malformed where head.route.dialect == .sentry: throw .malformedKey
        case .malformed, .absent: throw .unauthorized
        }
    }

    mutating func receiveKey(_ key: KeyID, _ state: KeyState, _ quota: ProjectQuota, now: Int64) {
        let waited = authenticator.learn(key, state, quota)
        switch state {
        case .known:
            ledger.forget(quota.project)
            for submission in waited { admit(submission, to: quota, now: now) }
        case .unknown:
            for submission in waited { refuse(submission, .unknownKey(submission.head.route.dialect)) }
        case .unavailable:
            for submission in waited { refuse(submission, .unavailable) }
        }
    }

    /// The key is known. Its project must be the one that the request names, and must allow the page's origin.
    private mutating func admit(_ submission: Submission, to quota: ProjectQuota, now: Int64) {
        guard !isDraining else { return refuse(submission, .unavailable) }
        guard submission.head.route != .key else { return finish(submission, .keyIsKnown) }
        guard submission.head.target.project.allows(quota.project), submission.claim.allows(quota.project) else {
            return refuse(submission, .otherProject)
        }
        guard quota.origins.allows(submission.head.origin) else { return refuse(submission, .otherOrigin) }
        guard options.share != nil else { return decode(submission, quota, now: now) }
        // A request that costs less than queueing it waits only if others do.
        guard !turns.isEmpty || !submission.isPlain else {
            _ = work(on: submission, quota, now: now)
            return
        }
        inFlight.move(submission, to: .queued(.init(submission.takeBody(), of: quota)))
        turns.append(submission, of: quota.project, bytes: submission.bytes, now: now)
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
