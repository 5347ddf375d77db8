import Spool
import StorageChannel
import Testing

@testable import mesher_storage

extension KeyTable {
    /// All that the table holds.
    var snapshot: KeySnapshot {
        var snapshot = KeySnapshot()
        for bucket in 0..<Self.bucketCount {
            forEachKey(inBucket: bucket) { key, quota, end in
                if let quota { snapshot.quotas[key] = quota } else { snapshot.revoked.insert(key) }
                if let end { snapshot.endings[key] = end }
            }
        }
        return snapshot
    }

    /// Reads all in one slice.
    mutating func replaceAll(_ current: KeySnapshot) -> [Change] {
        let changes = replace(Range(after: nil, through: nil), current)
        _ = complete()
        return changes
    }
}

@Suite struct KeyTableTests {
    private let quota = ProjectQuota(project: 1, events: 1_000, seconds: 60)
    private let other = ProjectQuota(project: 2, events: 5, seconds: 10)

    private func loaded() -> KeyTable {
        var table = KeyTable()
        _ = table.replaceAll(KeySnapshot(quotas: [KeyID(1): quota, KeyID(2): other]))
        return table
    }

    @Test("the first reading makes the keys known and changes nothing for the edges")
    func first() {
        var table = KeyTable()
        #expect(!table.isLoaded)
        #expect(table.replaceAll(KeySnapshot(quotas: [KeyID(1): quota])).isEmpty)
        #expect(table.isLoaded)
        #expect(table.quota(of: KeyID(1)) == quota)
        #expect(table.quota(of: KeyID(3)) == nil)
        #expect(table.quota(ofProject: 1) == quota)
    }

    @Test("reading all again tells the keys that appeared, disappeared or have another quota")
    func again() {
        var table = loaded()
        let larger = ProjectQuota(project: 1, events: 9_000, seconds: 60)
        let changes = table.replaceAll(KeySnapshot(quotas: [KeyID(1): larger, KeyID(3): larger]))
        #expect(
            Set(changes.map(\.key)) == [KeyID(1), KeyID(2), KeyID(3)]
                && changes.first { $0.key == KeyID(1) }?.quota == larger
                && changes.first { $0.key == KeyID(2) }?.quota == nil)
        #expect(table.quota(ofProject: 2) == nil)
        #expect(table.replaceAll(KeySnapshot(quotas: [KeyID(1): larger, KeyID(3): larger])).isEmpty)
    }

    @Test("reading one project leaves the others alone")
    func oneProject() {
        var table = loaded()
        #expect(table.replace(projects: [1], KeySnapshot()) == [KeyTable.Change(key: KeyID(1), quota: nil)])
        #expect(table.quota(of: KeyID(2)) == other)
        #expect(
            table.replace(projects: [1], KeySnapshot(quotas: [KeyID(9): quota]))
                == [KeyTable.Change(key: KeyID(9), quota: quota)])
        #expect(table.quota(ofProject: 1) == quota)
    }

    @Test("a revoked key stays known as such until it is in force again")
    func revoked() {
        var table = loaded()
        #expect(table.replace(projects: [1], KeySnapshot(revoked: [KeyID(1)])).count == 1)
        #expect(table.isRevoked(KeyID(1)) && !table.isRevoked(KeyID(2)))
        _ = table.replace(projects: [2], KeySnapshot(quotas: [KeyID(2): other]))
        #expect(table.isRevoked(KeyID(1)))
        #expect(table.snapshot == KeySnapshot(quotas: [KeyID(2): other], revoked: [KeyID(1)]))
        _ = table.replace(projects: [1], KeySnapshot(quotas: [KeyID(1): quota]))
        #expect(!table.isRevoked(KeyID(1)))
        _ = table.replaceAll(KeySnapshot(revoked: [KeyID(1), KeyID(2)]))
        #expect(table.isRevoked(KeyID(1)) && table.isRevoked(KeyID(2)))
    }

    @Test(
        "a project none of whose keys is left is another one; one key that is left, or revoked, shows that it is the same"
    )
    func replaced() {
        func strangers(_ current: KeySnapshot) -> Set<Int64> {
            var table = loaded()
            table.compare()
            _ = table.replace(KeyTable.Range(after: nil, through: nil), current)
            return table.complete()
        }
        #expect(strangers(KeySnapshot(quotas: [KeyID(1): quota, KeyID(9): other])) == [2])
        #expect(strangers(KeySnapshot(quotas: [KeyID(1): quota], revoked: [KeyID(2)])).isEmpty)
        #expect(strangers(KeySnapshot(quotas: [KeyID(1): other])) == [2])
    }

    @Test("a project is seen to be another one whatever happens while its keys are read slice by slice")
    func replacedBetween() {
        var table = loaded()
        table.compare()
        // A new key of the project is heard of before its former one is missed, and read again after that.
        _ = table.replace(projects: [1], KeySnapshot(quotas: [KeyID(7): quota]))
        _ = table.replace(KeyTable.Range(after: nil, through: KeyID(5)), KeySnapshot(quotas: [KeyID(2): other]))
        // The connection is lost, and all is read anew.
        table.compare()
        _ = table.replace(KeyTable.Range(after: nil, through: KeyID(5)), KeySnapshot(quotas: [KeyID(2): other]))
        _ = table.replace(KeyTable.Range(after: KeyID(5), through: nil), KeySnapshot(quotas: [KeyID(7): quota]))
        #expect(table.complete() == [1])
        // That is said once.
        table.compare()
        _ = table.replace(KeyTable.Range(after: nil, through: nil), table.snapshot)
        #expect(table.complete().isEmpty)
    }

    @Test("a slice of all keys changes those of its range, and no others")
    func range() {
        var table = KeyTable()
        let keys = (0..<100).map { KeyID(UInt128($0) << 120 | 1) }
        _ = table.replaceAll(KeySnapshot(quotas: Dictionary(uniqueKeysWithValues: keys.map { ($0, quota) })))
        let changes = table.replace(KeyTable.Range(after: keys[9], through: keys[19]), KeySnapshot(revoked: [keys[12]]))
        #expect(Set(changes.map(\.key)) == Set(keys[10...19]) && changes.allSatisfy { $0.quota == nil })
        #expect(table.isRevoked(keys[12]) && table.snapshot.quotas.count == 90)
        #expect(table.quota(of: keys[9]) == quota && table.quota(of: keys[20]) == quota)
    }

    @Test("a key is 32 hex digits and nothing else")
    func hex() {
        #expect(KeyID(hex: "0123456789abcdef0123456789ABCDEF") == KeyID(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef))
        #expect(KeyID(hex: "") == nil)
        #expect(KeyID(hex: "+123456789abcdef0123456789abcdef") == nil)
        #expect(KeyID(hex: "0123456789abcdef0123456789abcde") == nil)
        #expect(KeyID(hex: "0123456789abcdef0123456789abcdeg") == nil)
    }

    // MARK: Keys that end

    @Test("a key that ends is refused from that time on, is then as if revoked, and the others stay")
    func ending() {
        var table = KeyTable()
        let keys = [KeyID(1): quota, KeyID(2): quota, KeyID(3): quota]
        _ = table.replaceAll(KeySnapshot(quotas: keys, endings: [KeyID(1): 100, KeyID(2): 200]))
        #expect(table.nextEnding == 100)
        #expect(table.end(wall: 99).isEmpty && table.quota(of: KeyID(1)) == quota)
        #expect(table.end(wall: 100) == [KeyTable.Change(key: KeyID(1), quota: nil)])
        #expect(table.quota(of: KeyID(1)) == nil && table.isRevoked(KeyID(1)))
        #expect(table.nextEnding == 200)
        let left = KeySnapshot(
            quotas: [KeyID(2): quota, KeyID(3): quota], endings: [KeyID(2): 200], revoked: [KeyID(1)])
        #expect(table.snapshot == left)
        // PostgreSQL says the same.
        #expect(table.replaceAll(left).isEmpty)
        #expect(table.end(wall: 1_000) == [KeyTable.Change(key: KeyID(2), quota: nil)])
        #expect(table.nextEnding == .max && !table.hasEndings && table.quota(ofProject: 1) == quota)
    }

    @Test("an end that is put off, taken back or revoked counts no more, and each of that is written to disk")
    func changedEnding() {
        var table = KeyTable()
        let keys = [KeyID(1): quota]
        _ = table.replaceAll(KeySnapshot(quotas: keys, endings: [KeyID(1): 100]))
        let count = table.changeCount
        #expect(table.replaceAll(KeySnapshot(quotas: keys, endings: [KeyID(1): 100])).isEmpty)
        #expect(table.changeCount == count)
        #expect(table.replaceAll(KeySnapshot(quotas: keys, endings: [KeyID(1): 300])).isEmpty)
        #expect(table.changeCount > count)
        #expect(table.end(wall: 200).isEmpty && table.quota(of: KeyID(1)) == quota && table.nextEnding == 300)
        #expect(table.replaceAll(KeySnapshot(quotas: keys)).isEmpty)
        #expect(table.end(wall: 400).isEmpty && table.quota(of: KeyID(1)) == quota)
        _ = table.replaceAll(KeySnapshot(quotas: keys, endings: [KeyID(1): 500]))
        #expect(table.replaceAll(KeySnapshot(revoked: [KeyID(1)])).count == 1)
        #expect(table.end(wall: 600).isEmpty && !table.hasEndings)
        // A key that has ended here is in force again when PostgreSQL says so.
        _ = table.replaceAll(KeySnapshot(quotas: keys, endings: [KeyID(1): 700]))
        #expect(table.end(wall: 700).count == 1)
        let changes = table.replaceAll(KeySnapshot(quotas: keys, endings: [KeyID(1): 800]))
        #expect(changes == [KeyTable.Change(key: KeyID(1), quota: quota)])
    }

    @Test("a key that was read from disk ends as well")
    func loadedEnding() {
        var table = KeyTable()
        table.load(KeyID(1), quota, until: 100)
        table.completeLoading()
        #expect(table.end(wall: 100).count == 1 && table.isRevoked(KeyID(1)))
    }
}
