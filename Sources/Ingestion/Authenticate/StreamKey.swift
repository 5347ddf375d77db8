package import StorageChannel

/// The one key that all messages of a stream have, and what storage says of it.
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
        // Of a key that was known before it says nothing new.
        case .unavailable: standing = standing ?? .unavailable
        }
    }
}

/// What is known of a stream's key.
package enum StreamKeyStanding: Equatable, Sendable {
    case known(ProjectQuota)
    /// There is no such key, or it was revoked.
    case unknown
    /// It cannot be told now.
    case unavailable
}

extension IngestionMachine {
    /// From now on messages have this key. Storage is asked for it, each time it is connected, and says what changes.
    package mutating func openStream(_ key: KeyID) {
        streamKey = StreamKey(key)
        if isStorageConnected { toStorage.lookUp(key) }
    }

    /// What storage last said of the stream's key, nil before it said anything.
    package var streamKeyStanding: StreamKeyStanding? { streamKey?.standing }
}
