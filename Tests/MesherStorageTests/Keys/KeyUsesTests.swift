import PostgreSQL
import StorageChannel
import TestServers
import Testing

@testable import mesher_storage

@Suite struct KeyUsesTests {
    private static let day: Int64 = 86_400_000_000
    private let key = KeyID(0xabcd_0000_0000_0000_0000_0000_0000_0001)

    @Test("uses are told together after a while, in the order of the keys, each key once")
    func told() {
        var uses = KeyUses()
        #expect(uses.dueAt == .max)
        for (time, number) in [(1, 5), (2, 3), (3, 5), (4, 4)] {
            uses.note(KeyID(UInt128(number)), wall: 20 * Self.day, now: Int64(time))
        }
        #expect(uses.dueAt == 1 + KeyUses.delay)
        let step = uses.next()
        #expect(step.map(\.key.value) == [3, 4, 5] && step.allSatisfy { $0.day == 20 })
        uses.saved(step, now: 100)
        #expect(uses.count == 0 && uses.dueAt == .max)
    }

    @Test("a key that is used on a later day while it is told waits again, and one on the same day does not")
    func nextDay() {
        var uses = KeyUses()
        for number in 1...2 { uses.note(KeyID(UInt128(number)), wall: 21 * Self.day - 1, now: 0) }
        let step = uses.next()
        uses.note(KeyID(1), wall: 21 * Self.day - 1, now: 1)
        uses.note(KeyID(2), wall: 21 * Self.day, now: 1)
        uses.saved(step, now: 5)
        #expect(uses.next() == [KeyUses.Use(key: KeyID(2), day: 21)])
        #expect(uses.dueAt == 5 + KeyUses.pause)
    }

    @Test("many keys are told in steps, and those beyond the limit are not remembered")
    func bounded() {
        var uses = KeyUses()
        for number in 0..<KeyUses.limit + 10 { uses.note(KeyID(UInt128(number)), wall: 0, now: 0) }
        #expect(uses.count == KeyUses.limit)
        var steps = 0
        while uses.count > 0 {
            let step = uses.next()
            #expect(step.count <= KeyUses.keysInStep)
            uses.saved(step, now: 0)
            steps += 1
        }
        #expect(steps == KeyUses.limit / KeyUses.keysInStep)
    }

    @Test("after a failure all wait, for longer")
    func failed() {
        var uses = KeyUses()
        uses.note(key, wall: 0, now: 0)
        uses.failed(now: 7)
        #expect(uses.count == 1 && uses.dueAt == 7 + KeyUses.retry)
        uses.note(KeyID(2), wall: 0, now: 8)
        #expect(uses.dueAt == 8 + KeyUses.delay)
    }

    // MARK: With PostgreSQL

    private static let hasty = ["MESHER_FAULT": "hasty:100"]

    private func usedOn(_ storage: StorageProcess) throws -> String? {
        try storage.value("SELECT used_on = (now() AT TIME ZONE 'UTC')::date FROM key_uses")
    }

    /// Whether the connection for keys was given up for this reason.
    private func lostKeys(_ storage: StorageProcess, over reason: String) -> Bool {
        storage.log.split(separator: "\n").contains { $0.contains("keys cannot be read") && $0.contains(reason) }
    }

    @Test("PostgreSQL hears of the use of a key, at most once a day, and not of one that does not exist")
    func noted() throws {
        let storage = try StorageProcess(settings: Self.hasty, prepare: CommitterFailureTests.project(with: key))
        let edge = try storage.edge()
        #expect(try storage.value("SELECT count(*) FROM key_uses") == "0")
        #expect(edge.lookUp(key)?.state == .known)
        #expect(edge.lookUp(KeyID(1))?.state == .unknown)
        #expect(try eventually { try usedOn(storage) == "t" })
        // Another edge asks, and the key that is noted after it shows that this was told, too.
        let version = try storage.value("SELECT xmin::text || xmax FROM key_uses")
        #expect(try storage.edge().lookUp(key)?.state == .known)
        let other = CommitterFailureTests.hex(KeyID(2))
        try storage.open().execute("INSERT INTO api_keys (key, project_id) VALUES ('\(other)', 1)")
        #expect(edge.key(KeyID(2))?.state == .known)
        #expect(edge.lookUp(KeyID(2))?.state == .known)
        #expect(try eventually { try storage.value("SELECT count(*) FROM key_uses") == "2" })
        #expect(try storage.value("SELECT xmin::text || xmax FROM key_uses WHERE key <> '\(other)'") == version)
    }

    @Test("a use while PostgreSQL is away is told when it is back")
    func away() throws {
        let storage = try StorageProcess(settings: Self.hasty, prepare: CommitterFailureTests.project(with: key))
        let edge = try storage.edge()
        try storage.allowConnections(false)
        try storage.endSessions()
        #expect(eventually { edge.probe()?.degradation == .postgresql })
        #expect(edge.lookUp(key)?.state == .known)
        try storage.allowConnections(true)
        #expect(try eventually { try usedOn(storage) == "t" })
    }

    @Test("where uses cannot be noted keys are known all the same, and the log says why")
    func refused() throws {
        let storage = try StorageProcess(settings: Self.hasty, prepare: CommitterFailureTests.project(with: key))
        let owner = try storage.open()
        try owner.execute("ALTER FUNCTION mesher_note_key_uses RENAME TO gone")
        let edge = try storage.edge()
        #expect(edge.lookUp(key)?.state == .known)
        #expect(eventually { storage.log.contains("the last use of keys is not noted") })
        #expect(eventually { edge.probe()?.degradation == [] })
        #expect(!lostKeys(storage, over: "mesher_note_key_uses"))
        try owner.execute("ALTER FUNCTION gone RENAME TO mesher_note_key_uses")
        #expect(try eventually { try usedOn(storage) == "t" })
    }

    @Test("a lock on the uses keeps no key from being heard of for long")
    func locked() throws {
        let storage = try StorageProcess(settings: Self.hasty, prepare: CommitterFailureTests.project(with: key))
        let owner = try storage.open()
        try owner.execute("BEGIN; LOCK TABLE key_uses IN ACCESS EXCLUSIVE MODE")
        let edge = try storage.edge()
        #expect(edge.lookUp(key)?.state == .known)
        #expect(eventually { storage.log.contains("the last use of keys is not noted") })
        let other = CommitterFailureTests.hex(KeyID(2))
        try storage.open().execute("INSERT INTO api_keys (key, project_id) VALUES ('\(other)', 1)")
        #expect(edge.key(KeyID(2))?.state == .known)
        #expect(!lostKeys(storage, over: "lock timeout"))
    }
}
