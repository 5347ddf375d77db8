internal import StorageChannel

/// The keys that this edge knows, and the requests that wait to hear of theirs.
struct Authenticator: ~Copyable {
    /// That of all messages, where the edge is a stream.
    private(set) var stream: StreamKey?
    private var keys = KeyCache()
    private var waiting: [KeyID: [Submission]] = [:]

    /// What is known of a request's key; nil when storage must be asked.
    ///
    /// - Parameter wall: when the request was received, in microseconds since 1970.
    mutating func use(_ key: KeyID, at wall: Int64) -> KeyCache.Finding? { keys.use(key, at: wall) }

    /// A request waits until storage has answered about its key.
    ///
    /// - Returns: whether it is the first, so that storage is to be asked.
    mutating func wait(_ submission: Submission, for key: KeyID) -> Bool {
        let isFirst = waiting[key] == nil
        waiting[key, default: []].append(submission)
        return isFirst
    }

    mutating func openStream(_ key: KeyID) {
        stream = StreamKey(key)
    }

    /// The keys that storage is to be asked about over a new connection.
    mutating func openQuestions() -> [KeyID] {
        waiting = waiting.mapValues { $0.filter { !$0.isAnswered } }.filter { !$0.value.isEmpty }
        return (stream.map { [$0.key] } ?? []) + waiting.keys
    }

    /// Storage says something about a key, because it was asked or because that has changed.
    ///
    /// - Returns: the requests that waited for it.
    mutating func learn(_ key: KeyID, _ state: KeyState, _ quota: ProjectQuota) -> [Submission] {
        let asking = waiting.removeValue(forKey: key)
        let waited = (asking ?? []).filter { !$0.isAnswered }
        let asked = asking?.first?.head.receivedAt
        stream?.learn(key, state, quota)
        let isWanted = !waited.isEmpty || keys.remembers(key) || stream?.key == key
        switch state {
        case .known: if isWanted { keys.remember(key, .known(quota), asked: asked) }
        case .unknown: if isWanted { keys.remember(key, .unknown, asked: asked) }
        case .unavailable: break
        }
        return waited
    }

    /// Storage is gone: what is remembered may be out of date when it is back.
    mutating func forgetAll() {
        keys.forgetAll()
    }

    /// Keys that were unknown may exist by now.
    mutating func forgetUnknown() {
        keys.forgetUnknown()
    }
}
