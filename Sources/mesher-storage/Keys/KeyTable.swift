import Spool
import StorageChannel

/// Every key that is in force, and the quota of its project; and those that were revoked.
struct KeyTable {
    /// A key that appeared, disappeared or whose quota changed.
    struct Change: Equatable {
        let key: KeyID
        /// Nil when the key is no longer in force.
        let quota: ProjectQuota?
    }

    /// Whether the keys were ever read.
    private(set) var isLoaded = false
    private var quotas: [KeyID: ProjectQuota] = [:]
    private var revoked: Set<KeyID> = []
    private var projects: [Int64: Set<KeyID>] = [:]

    /// The quota of the key's project; nil when the key is not in force.
    func quota(of key: KeyID) -> ProjectQuota? {
        quotas[key]
    }

    /// The quota of a project that has a key in force.
    func quota(ofProject project: Int64) -> ProjectQuota? {
        projects[project]?.first.flatMap { quotas[$0] }
    }

    /// A project that has a key in force, if there is one.
    var anyProject: Int64? { projects.first?.key }

    /// The projects of which none of the keys in force is left, not even as a revoked one: they are other ones, if there.
    func replaced(by current: KeySnapshot) -> Set<Int64> {
        Set(
            projects.lazy.filter { _, keys in
                !keys.contains { current.quotas[$0] != nil || current.revoked.contains($0) }
            }.map(\.key))
    }

    func isRevoked(_ key: KeyID) -> Bool {
        revoked.contains(key)
    }

    /// All that the table holds.
    var snapshot: KeySnapshot { KeySnapshot(quotas: quotas, revoked: revoked) }

    /// Takes over all keys.
    ///
    /// - Returns: what changed; nothing the first time, since nobody can have been told otherwise.
    mutating func replaceAll(_ current: KeySnapshot) -> [Change] {
        let isFirst = !isLoaded
        isLoaded = true
        revoked = current.revoked
        let changes = replace(Array(quotas.keys), current.quotas)
        return isFirst ? [] : changes
    }

    /// Takes over the keys of some projects.
    mutating func replace(projects changed: Set<Int64>, _ current: KeySnapshot) -> [Change] {
        revoked.subtract(current.quotas.keys)
        revoked.formUnion(current.revoked)
        return replace(changed.flatMap { projects[$0] ?? [] }, current.quotas)
    }

    private mutating func replace(_ former: [KeyID], _ current: [KeyID: ProjectQuota]) -> [Change] {
        var changes: [Change] = []
        for key in former where current[key] == nil {
            if let quota = quotas.removeValue(forKey: key) { forget(key, of: quota.project) }
            changes.append(Change(key: key, quota: nil))
        }
        for (key, quota) in current where quotas[key] != quota {
            if let old = quotas.updateValue(quota, forKey: key), old.project != quota.project {
                forget(key, of: old.project)
            }
            projects[quota.project, default: []].insert(key)
            changes.append(Change(key: key, quota: quota))
        }
        return changes
    }

    private mutating func forget(_ key: KeyID, of project: Int64) {
        projects[project]?.remove(key)
        if projects[project]?.isEmpty == true { projects[project] = nil }
    }
}

extension KeyID {
    /// A key as it is written in `api_keys`: 32 hex digits.
    init?(hex: some StringProtocol) {
        let digits = hex.utf8
        guard digits.count == 32, digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let value = UInt128(hex, radix: 16)
        else { return nil }
        self.init(value)
    }
}
