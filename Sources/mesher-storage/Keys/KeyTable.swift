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

    /// The keys behind one, up to another; nil for all on that side.
    struct Range {
        var after: KeyID?
        var through: KeyID?
    }

    /// Whether the table has all keys, as they are or were.
    private(set) var isLoaded = false
    private var keys = SortedBuckets<StoredKey>()
    private var projects = SortedBuckets<StoredProject>()
    /// When some keys are refused, in microseconds since 1970; the first of these times, or one before it.
    private var endings: [KeyID: Int64] = [:]
    private(set) var nextEnding = Int64.max

    /// While it is to be found out which projects are other ones than before: those that have lost a key, and the keys that
    /// are new.
    private var shrunk: Set<Int64> = []
    private var added = SortedBuckets<StoredKey>()
    private var isComparing = false
    private var comparison: UInt32 = 0

    /// How often a key, or what is known of one, has changed.
    private(set) var changeCount = 0

    /// The quota of the key's project; nil when the key is not in force.
    func quota(of key: KeyID) -> ProjectQuota? {
        keys[key.value].flatMap { $0.isRevoked ? nil : projects[$0.project]?.quota }
    }

    /// The quota of a project that has a key in force.
    func quota(ofProject project: Int64) -> ProjectQuota? {
        projects[project].flatMap { $0.keys.isEmpty ? nil : $0.quota }
    }

    private var hasKeys: Bool { anyProject != nil }

    /// A project that has a key in force, if there is one.
    var anyProject: Int64? {
        for bucket in 0..<SortedBuckets<StoredProject>.bucketCount {
            if let found = projects.elements(inBucket: bucket).first(where: { !$0.keys.isEmpty }) {
                return found.number
            }
        }
        return nil
    }

    func isRevoked(_ key: KeyID) -> Bool {
        keys[key.value]?.isRevoked ?? false
    }

    static var bucketCount: Int { SortedBuckets<StoredKey>.bucketCount }

    var hasEndings: Bool { !endings.isEmpty }

    /// Calls `body` with each key of one of the buckets; revoked ones have no quota, and few are refused from some time on.
    func forEachKey(inBucket bucket: Int, _ body: (KeyID, ProjectQuota?, Int64?) -> Void) {
        for key in keys.elements(inBucket: bucket) {
            let id = KeyID(key.number)
            body(id, key.isRevoked ? nil : projects[key.project]?.quota, hasEndings ? endings[id] : nil)
        }
    }

    /// How many keys there are.
    var counts: (known: Int, revoked: Int) {
        var counts = (known: 0, revoked: 0)
        for bucket in 0..<Self.bucketCount {
            forEachKey(inBucket: bucket) { _, quota, _ in
                if quota == nil { counts.revoked += 1 } else { counts.known += 1 }
            }
        }
        return counts
    }

    // MARK: Reading all

    /// Adds a key that was read from disk; without a quota it was revoked.
    mutating func load(_ key: KeyID, _ quota: ProjectQuota?, until end: Int64? = nil) {
        if let end {
            endings[key] = end
            nextEnding = min(nextEnding, end)
        }
        keys.set(StoredKey(key, project: quota?.project))
        guard let quota else { return }
        _ = adopt(quota)
        projects.change(quota.project) { $0.add(key) }
    }

    /// All that is on disk was added, and is of the right database.
    mutating func completeLoading() {
        isLoaded = true
    }

    /// What is read from now on may be another database: until `complete`, projects are noted that have lost keys.
    mutating func compare() {
        guard hasKeys else { return }
        isComparing = true
        // What was found out by a reading that was not completed holds, but not which keys were found.
        comparison &+= 1
    }

    /// All keys were read.
    ///
    /// - Returns: the projects of which none of the keys is left that were in force before, not even as a revoked one: they
    ///   are other ones, if there. None unless it was compared.
    mutating func complete() -> Set<Int64> {
        isLoaded = true
        let strangers = shrunk.filter { projects[$0]?.keptIn != comparison }
        isComparing = false
        shrunk = []
        added = SortedBuckets()
        projects.removeAll { $0.keys.isEmpty }
        return strangers
    }

    /// Takes over the keys of a range.
    ///
    /// - Returns: what changed; nothing before all were read, since nobody can have been told otherwise.
    mutating func replace(_ range: Range, _ current: KeySnapshot) -> [Change] {
        var former: [KeyID] = []
        let buckets = SortedBuckets<StoredKey>.self
        let last = range.through.map { buckets.bucket(of: $0.value) } ?? buckets.bucketCount - 1
        for bucket in (range.after.map { buckets.bucket(of: $0.value) } ?? 0)...last {
            for key in keys.elements(inBucket: bucket) {
                if let after = range.after, key.number <= after.value { continue }
                if let through = range.through, key.number > through.value { continue }
                former.append(KeyID(key.number))
            }
        }
        return replace(former, current)
    }

    /// Takes over the keys of some projects.
    mutating func replace(projects changed: Set<Int64>, _ current: KeySnapshot) -> [Change] {
        replace(changed.flatMap { projects[$0]?.keys ?? [] }, current)
    }

    private mutating func replace(_ former: [KeyID], _ current: KeySnapshot) -> [Change] {
        var changes: [Change] = []
        for key in former where current.quotas[key] == nil && !current.revoked.contains(key) {
            if drop(key) { changes.append(Change(key: key, quota: nil)) }
        }
        for key in current.revoked {
            guard !isRevoked(key) else { continue }
            if keep(key, in: nil) { changes.append(Change(key: key, quota: nil)) }
            revoke(key)
        }
        for (key, quota) in current.quotas {
            changes += adopt(quota)
            if endings[key] != current.endings[key] { setEnding(of: key, current.endings[key]) }
            guard keys[key.value]?.project != quota.project else {
                _ = keep(key, in: quota.project)
                continue
            }
            if !keep(key, in: quota.project), isComparing { added.set(StoredKey(key, project: quota.project)) }
            keys.set(StoredKey(key, project: quota.project))
            projects.change(quota.project) { $0.add(key) }
            changeCount += 1
            changes.append(Change(key: key, quota: quota))
        }
        return isLoaded ? changes : []
    }

    // MARK: Keys that end

    /// The time has come for some keys: from now on they are as if they were revoked, also if PostgreSQL doesn't answer.
    ///
    /// - Parameter wall: microseconds since 1970.
    mutating func end(wall: Int64) -> [Change] {
        guard nextEnding <= wall else { return [] }
        var changes: [Change] = []
        for (key, end) in endings where end <= wall {
            if keep(key, in: nil) { changes.append(Change(key: key, quota: nil)) }
            revoke(key)
        }
        nextEnding = endings.values.min() ?? .max
        return isLoaded ? changes : []
    }

    private mutating func setEnding(of key: KeyID, _ end: Int64?) {
        endings[key] = end
        nextEnding = min(nextEnding, end ?? .max)
        changeCount += 1
    }

    private mutating func revoke(_ key: KeyID) {
        keys.set(StoredKey(key, project: nil))
        endings[key] = nil
        changeCount += 1
    }

    // MARK: One change

    /// The project has this quota; its keys that are known by another one change.
    private mutating func adopt(_ quota: ProjectQuota) -> [Change] {
        guard let project = projects[quota.project] else {
            projects.set(StoredProject(quota: quota))
            return []
        }
        guard project.quota != quota else { return [] }
        changeCount += 1
        projects.change(quota.project) { $0.quota = quota }
        return project.keys.map { Change(key: $0, quota: quota) }
    }

    /// A key is there no more.
    ///
    /// - Returns: whether it was in force.
    private mutating func drop(_ key: KeyID) -> Bool {
        guard let stored = keys[key.value] else { return false }
        keys.remove(key.value)
        endings[key] = nil
        changeCount += 1
        guard !stored.isRevoked else { return false }
        projects.change(stored.project) { $0.forget(key) }
        if isComparing { shrunk.insert(stored.project) }
        return true
    }

    /// A key is there, revoked or of a project.
    ///
    /// - Returns: whether it was in force before.
    private mutating func keep(_ key: KeyID, in project: Int64?) -> Bool {
        guard let stored = keys[key.value], !stored.isRevoked else { return false }
        let wasThere = isComparing && added[key.value] == nil
        projects.change(stored.project) {
            if stored.project != project { $0.forget(key) }
            if wasThere { $0.keptIn = comparison }
        }
        return true
    }
}

/// A key in 24 bytes.
struct StoredKey: Numbered {
    private let high: UInt64
    private let low: UInt64
    /// 0 for a key that was revoked.
    let project: Int64

    init(_ key: KeyID, project: Int64?) {
        high = UInt64(truncatingIfNeeded: key.value >> 64)
        low = UInt64(truncatingIfNeeded: key.value)
        self.project = project ?? 0
    }

    var number: UInt128 { UInt128(high) << 64 | UInt128(low) }

    var isRevoked: Bool { project == 0 }

    /// Keys are made at random. Their order is that of the buckets, too.
    static func spread(_ number: UInt128) -> UInt64 { UInt64(truncatingIfNeeded: number >> 64) }
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
