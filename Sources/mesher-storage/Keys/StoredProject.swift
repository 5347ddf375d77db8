import StorageChannel

/// A project that has or had keys in force.
struct StoredProject: Numbered {
    var quota: ProjectQuota
    var keys: [KeyID] = []
    /// The comparison in which one of its keys was found again.
    var keptIn: UInt32 = 0

    init(quota: ProjectQuota) {
        self.quota = quota
    }

    var number: Int64 { quota.project }

    /// An array that grows by itself doubles: a million keys of 100,000 projects took 8 MB more.
    mutating func add(_ key: KeyID) {
        if keys.count == keys.capacity { keys.reserveCapacity(keys.count + max(keys.count / 4, 2)) }
        keys.append(key)
    }

    mutating func forget(_ key: KeyID) {
        if let position = keys.firstIndex(of: key) { keys.remove(at: position) }
    }

    /// Projects are numbered one after the other.
    static func spread(_ number: Int64) -> UInt64 { UInt64(bitPattern: number) &* 0x9e37_79b9_7f4a_7c15 }
}
