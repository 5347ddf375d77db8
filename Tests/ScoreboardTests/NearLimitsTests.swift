import Testing

@testable import Scoreboard

struct NearLimitsTests {
    private func project(_ id: Int64, used: UInt32, of limit: UInt32 = 100, endsAt: Int64 = 1_000) -> NearLimits.Project
    {
        NearLimits.Project(id: id, used: used, limit: limit, endsAt: endsAt)
    }

    @Test("Of a hundred thousand projects those stay that have used most")
    func most() {
        var near = NearLimits()
        for id in 1...100_000 as ClosedRange<Int64> {
            near.note(project(id, used: UInt32(id * 7_919 % 100_003), of: 100_003), now: 0)
        }
        let expected = (1...100_000).sorted { $0 * 7_919 % 100_003 > $1 * 7_919 % 100_003 }.prefix(NearLimits.room)
        #expect(near.projects.count == NearLimits.room)
        #expect(Set(near.projects.map { Int($0.id) }) == Set(expected))
    }

    @Test("A project is there once, with what was heard last; one whose window has ended makes room first")
    func replaces() {
        var near = NearLimits()
        for id in 1...8 as ClosedRange<Int64> { near.note(project(id, used: 90, endsAt: id == 5 ? 10 : 1_000), now: 0) }
        near.note(project(3, used: 20), now: 0)
        #expect(near.projects.count == 8 && near.projects.first { $0.id == 3 }?.used == 20)
        near.note(project(9, used: 1), now: 10)
        #expect(near.projects.map(\.id).sorted() == [1, 2, 3, 4, 6, 7, 8, 9])
        near.note(project(10, used: 1), now: 10)
        #expect(!near.projects.contains { $0.id == 10 })
        near.note(project(10, used: 30), now: 10)
        #expect(near.projects.map(\.id).sorted() == [1, 2, 3, 4, 6, 7, 8, 10])
    }

    @Test("Of several processes the nearest come first, each project once, and none whose window has ended")
    func merges() {
        let merged = NearLimits.merged(
            [
                [project(1, used: 10), project(2, used: 50), project(3, used: 99, endsAt: 5)],
                [project(1, used: 60), project(4, used: 100, of: 0)], (10...20).map { project($0, used: 1) },
            ], now: 5)
        #expect(merged.map(\.id) == [4, 1, 2, 10, 11, 12, 13, 14])
        #expect(merged[1].used == 60)
    }

    @Test("What a process reports is read; damaged words are bounded")
    func reports() throws {
        let directory = try RunDirectory()
        let file = try ScoreboardFile.open(in: directory.path)
        let index = try #require(file.claim(.worker, name: "w")?.slot)
        let slot = try #require(try ProcessSlot.open(index, of: ScoreboardFile.path(in: directory.path)))
        var near = NearLimits()
        for id in 1...8 as ClosedRange<Int64> { near.note(project(id, used: .max, of: .max, endsAt: .max), now: 0) }
        slot.set(near)
        slot.setProjectsWaiting(3)
        let reading = try #require(file.reading(of: index))
        #expect(reading.nearLimits == near.projects && reading.projectsWaiting == 3)
        slot.set(NearLimits())
        #expect(try #require(file.reading(of: index)).nearLimits == [])
    }
}
