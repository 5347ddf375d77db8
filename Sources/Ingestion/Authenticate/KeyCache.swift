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

    private var known: [KeyID: ProjectQuota] = [:]
    private var unknown: Set<KeyID> = []

    subscript(key: KeyID) -> Entry? {
        if let quota = known[key] { return .known(quota) }
        return unknown.contains(key) ? .unknown : nil
    }

    /// Whether a key is remembered, as known or unknown.
    func remembers(_ key: KeyID) -> Bool {
        known[key] != nil || unknown.contains(key)
    }

    mutating func remember(_ key: KeyID, _ entry: Entry) {
        switch entry {
        case .known(let quota):
            unknown.remove(key)
            known[key] = quota
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
