internal import StorageChannel

/// The keys this edge knows: storage's answers, including unknown keys, updated when storage sends a change. While
/// storage is down nothing is known.
struct KeyCache: ~Copyable {
    enum Entry {
        case known(ProjectQuota)
        case unknown
    }

    /// Maximum number of unknown keys that are remembered; strangers can make up any number of them.
    static let unknownLimit = 10_000

    /// What a request learns about its key.
    enum Finding {
        /// - Parameter isFirst: the day's first use of the key here, of which storage is to hear.
        case known(ProjectQuota, isFirst: Bool)
        case unknown
    }

    private struct Known {
        var quota: ProjectQuota
        /// The end of the last day, in microseconds since 1970, for which storage was asked about the key.
        var askedUntil: Int64
    }

    private static let day: Int64 = 86_400_000_000

    private var known: [KeyID: Known] = [:]
    private var unknown: Set<KeyID> = []

    /// Looks a key up for a request that was received at some time, in microseconds since 1970.
    mutating func use(_ key: KeyID, at wall: Int64) -> Finding? {
        // By its place, so that a key is hashed once.
        if let place = known.index(forKey: key) {
            let isFirst = known.values[place].askedUntil <= wall
            if isFirst { known.values[place].askedUntil = Self.endOfDay(wall) }
            return .known(known.values[place].quota, isFirst: isFirst)
        }
        return unknown.contains(key) ? .unknown : nil
    }

    private static func endOfDay(_ wall: Int64) -> Int64 { (wall / day &+ 1) &* day }

    /// Whether a key is remembered, as known or unknown.
    func remembers(_ key: KeyID) -> Bool {
        known[key] != nil || unknown.contains(key)
    }

    /// - Parameter asked: when the request was received for which storage was asked, if it was.
    mutating func remember(_ key: KeyID, _ entry: Entry, asked: Int64?) {
        switch entry {
        case .known(let quota):
            unknown.remove(key)
            let askedUntil = asked.map(Self.endOfDay) ?? known[key]?.askedUntil ?? .min
            known[key] = Known(quota: quota, askedUntil: askedUntil)
        case .unknown:
            known[key] = nil
            if unknown.count >= Self.unknownLimit { unknown.removeAll(keepingCapacity: true) }
            unknown.insert(key)
        }
    }

    mutating func forgetAll() {
        known.removeAll(keepingCapacity: true)
        forgetUnknown()
    }

    mutating func forgetUnknown() {
        unknown.removeAll(keepingCapacity: true)
    }
}
