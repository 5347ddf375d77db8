import Testing

@testable import Scoreboard

struct SessionTableTests {
    @Test("A record is reserved once, and free again when its session has ended")
    func reserves() throws {
        let table = try SessionTable.unseen()
        #expect(table.reserve(owner: 3) == 0 && table.reserve(owner: 3) == 1)
        #expect(table.count == 2)
        table.free(0)
        #expect(table.count == 1)
        #expect(table.reserve(owner: 3) == 0)
    }

    @Test("Two listeners never reserve the same record")
    func twoListeners() throws {
        let folder = try RunDirectory()
        let first = try SessionTable.create(in: folder.path)
        let second = try #require(SessionTable.open(in: folder.path))
        let records = (0..<10).flatMap { _ in [first.reserve(owner: 1), second.reserve(owner: 2)] }.compactMap(\.self)
        #expect(Set(records).count == 20 && first.count == 20)
        #expect(first.free(owner: 2) == 0)
        #expect(second.count == 10)
    }

    @Test("A project has so many places and no more; one that leaves makes room, others are not counted")
    func projectLimit() throws {
        let table = try SessionTable.unseen()
        let records = (0..<4).compactMap { _ in table.reserve(owner: 0) }
        #expect(records.prefix(3).map { table.enter($0, project: 7, limit: 2) } == [true, true, false])
        #expect(table.enter(records[3], project: 8, limit: 2))
        table.free(records[0])
        #expect(table.enter(records[2], project: 7, limit: 2))
    }

    @Test("A listener's death frees its records and tells how many sessions were open")
    func ownerDies() throws {
        let table = try SessionTable.unseen()
        let records = (0..<3).compactMap { _ in table.reserve(owner: 5) }
        for record in records { table.begin(record, pid: 100 + Int32(record), wall: 1) }
        table.opened(records[0], peer: "192.0.2.1")
        table.opened(records[1], peer: "192.0.2.2")
        table.closed(records[1])
        #expect(table.free(owner: 5) == 1)
        #expect(table.count == 0 && table.readings().isEmpty)
    }

    @Test("What a session says of itself can be read")
    func readings() throws {
        let table = try SessionTable.unseen()
        let record = try #require(table.reserve(owner: 0))
        table.begin(record, pid: 4_711, wall: 1_700_000_000_000_000)
        #expect(table.enter(record, project: 9, limit: 1))
        table.opened(record, peer: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")
        table.answered(record, accepted: 2)
        table.answered(record, accepted: 0)
        #expect(
            table.readings() == [
                SessionReading(
                    pid: 4_711, project: 9, since: 1_700_000_000_000_000, isOpen: true, messages: 2, events: 2,
                    peer: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")
            ])
    }

    @Test(
        "Sessions of one project claim half of the memory together; what one gives back or leaves behind is for others")
    func claims() throws {
        let table = try SessionTable.unseen()
        let bound = MemoryBound(bytes: 1_000)
        let records = (0..<4).compactMap { _ in table.reserve(owner: 0) }
        for record in records { #expect(table.enter(record, project: record < 3 ? 7 : 8, limit: 9)) }
        func claim(_ place: Int, _ bytes: Int) -> Bool { table.claim(records[place], bytes: bytes, within: bound) }
        #expect(claim(0, 300) && claim(1, 200) && !claim(2, 100) && table.claimed == 500)
        #expect(claim(3, 250) && !claim(3, 251) && table.claimed == 750)
        // What was refused leaves the former claim in force, and less is never too much.
        #expect(!claim(0, 301) && table.claimed == 750 && claim(0, 299))
        table.free(records[1])
        #expect(table.claimed == 549 && claim(2, 50))
        #expect(!table.claim(-1, bytes: 1, within: bound) && !claim(2, .max))
    }

    @Test("A full table gives no record, and a number that is none does no harm")
    func limits() throws {
        let table = try SessionTable.unseen()
        for _ in 0..<SessionLayout.capacity { _ = table.reserve(owner: 0) }
        #expect(table.reserve(owner: 0) == nil)
        table.answered(-1, accepted: 1)
        table.opened(SessionLayout.capacity, peer: "")
        #expect(!table.free(SessionLayout.capacity) && !table.enter(-1, project: 1, limit: 1))
    }
}
