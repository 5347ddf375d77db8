package import StorageChannel

/// The key of all messages of a stream, and what storage says about it.
struct StreamKey {
    let key: KeyID
    var standing: StreamKeyStanding?

    init(_ key: KeyID) {
        self.key = key
    }

    mutating func learn(_ key: KeyID, _ state: KeyState, _ quota: ProjectQuota) {
        guard key == self.key else { return }
        switch state {
        case .known: standing = .known(quota)
        case .unknown: standing = .unknown
        // Nothing new for a key that was known before.
        case .unavailable: standing = standing ?? .unavailable
        }
    }
}

/// What is known of a stream's key.
package enum StreamKeyStanding: Equatable, Sendable {
    case known(ProjectQuota)
    /// There is no such key, or it was revoked.
    case unknown
    /// It cannot be checked now.
    case unavailable
}
