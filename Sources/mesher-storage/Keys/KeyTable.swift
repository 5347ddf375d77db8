import StorageChannel

/// Every key that is in force, and the quota of its project.
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
    private var projects: [Int64: Set<KeyID>] = [:]

    /// The quota of the key's project; nil when the key is not in force.
    func quota(of key: KeyID) -> ProjectQuota? {
        quotas[key]
    }

    /// The quota of a project that has a key in force.
    func quota(ofProject project: Int64) -> ProjectQuota? {
        projects[project]?.first.flatMap { quotas[$0] }
    }

    /// Takes over all keys that are in force.
    ///
    /// - Returns: what changed; nothing the first time, since nobody can have been told otherwise.
    mutating func replaceAll(_ current: [KeyID: ProjectQuota]) -> [Change] {
        let isFirst = !isLoaded
        isLoaded = true
        let changes = replace(Array(quotas.keys), current)
        return isFirst ? [] : changes
    }

    /// Takes over the keys of some projects that are in force.
    mutating func replace(projects changed: Set<Int64>, _ current: [KeyID: ProjectQuota]) -> [Change] {
        replace(changed.flatMap { projects[$0] ?? [] }, current)
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
