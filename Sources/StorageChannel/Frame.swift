/// What an edge and storage say to each other, over a stream socket: a 32-bit length of what follows, one byte that
/// names the kind, the content. Numbers are in network byte order.
///
/// | kind | from | content |
/// |---|---|---|
/// | hello | both, first | the newest version that it speaks (16 bits) |
/// | store | edge | ticket (64), `StoreFlags` (8), `EventRecord` |
/// | stored | storage | for each event: ticket (64), `StoreResult` (8), seconds until another try is worth it (32) |
/// | lookUpKey | edge | key (128) |
/// | key | storage, as answer or because it changed | key (128), `KeyState` (8), project (64), events (32), seconds (32), `AllowedOrigins` (rest) |
/// | probe | edge | ticket (64) |
/// | readiness | storage, as answer; with ticket 0 when it changed | ticket (64), whether an event can be stored (8), `Degradation` (8) |
/// | redis | edge, when it changes | whether Redis answers (8), why not, or its policy if it evicts counters (text, at most 200 bytes) |
package enum FrameKind: UInt8, Sendable {
    case hello = 1
    case store = 2
    case stored = 3
    case lookUpKey = 4
    case key = 5
    case probe = 6
    case readiness = 7
    case redis = 8
}

package enum Frame {
    /// The newest version that this release speaks. Of two ends that name different ones the newer speaks the other's:
    /// while a release takes the place of another, and for as long as old sessions live, one of each is connected.
    package static let version: UInt16 = 2

    /// The oldest version that this release speaks.
    package static let oldestVersion: UInt16 = 2

    /// The largest length a frame may announce: an event of 1 MiB, its columns again, and room.
    package static let maximumLength = 4 << 20

    /// The most bytes of a reason.
    package static let reasonLimit = 200

    /// The bytes before the content: length and kind.
    package static let headerSize = 5
}

/// What became of one event at storage.
package enum StoreResult: UInt8, Sendable {
    /// Durable: committed, or on this host's disk.
    case durable = 0
    /// It cannot be stored now; another try may succeed.
    case unavailable = 1
    /// An uncounted event was over this host's share of the project's limit.
    case rateLimited = 2
}

/// What an edge says of an event beside its record.
package struct StoreFlags: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// It was counted against its project's limit in Redis.
    package static let counted = StoreFlags(rawValue: 1)
    /// It came with many others or is large: it must not stand before single ones.
    package static let bulk = StoreFlags(rawValue: 2)
    /// All that this version knows.
    package static let all: StoreFlags = [.counted, .bulk]
}

/// What is known of a key.
package enum KeyState: UInt8, Sendable {
    case unknown = 0
    case known = 1
    /// It cannot be told now, because the keys were never read.
    case unavailable = 2
}

/// What storage has to do without.
package struct Degradation: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let postgresql = Degradation(rawValue: 1)
    package static let spool = Degradation(rawValue: 2)
    /// At least one edge.
    package static let redis = Degradation(rawValue: 4)
    /// Nothing of what waits on disk was delivered for a minute.
    package static let backlog = Degradation(rawValue: 8)
    /// No key was read, neither from PostgreSQL nor from disk: every event is refused.
    package static let keys = Degradation(rawValue: 16)
    /// Redis evicts counters when its memory is full.
    package static let eviction = Degradation(rawValue: 32)

    /// What each is called wherever it is shown.
    package static let names: [(what: Degradation, name: StaticString)] = [
        (.postgresql, "postgresql"), (.redis, "redis"), (.spool, "spool"), (.backlog, "backlog"), (.keys, "keys"),
        (.eviction, "eviction"),
    ]
}

/// A key: 128 bits, written as 32 hex digits.
package struct KeyID: Hashable, Sendable {
    package let value: UInt128
    package init(_ value: UInt128) { self.value = value }
}

/// A key's project, as far as an edge must know it.
package struct ProjectQuota: Equatable, Sendable {
    package let project: Int64
    /// Events granted in one window.
    package let events: UInt32
    /// The length of the window in seconds.
    package let seconds: UInt32
    /// The pages that may send.
    package let origins: AllowedOrigins

    package init(project: Int64, events: UInt32, seconds: UInt32, origins: AllowedOrigins = .all) {
        self.project = project
        self.events = events
        self.seconds = seconds
        self.origins = origins
    }
}
