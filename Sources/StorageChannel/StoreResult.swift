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
