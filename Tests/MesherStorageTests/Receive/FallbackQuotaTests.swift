import Glibc
import StorageChannel
import Testing

@testable import mesher_storage

@Suite struct FallbackQuotaTests {
    private let second: Int64 = 1_000_000_000
    private let limited = ProjectQuota(project: 1, events: 10, seconds: 60)

    @Test("the limit is granted in full, then refused until the window ends, then granted again")
    func window() throws {
        let quota = FallbackQuota(try WindowTable(), hosts: 1)
        for _ in 0..<10 { #expect(quota.take(limited, now: 5 * second) == nil) }
        #expect(quota.take(limited, now: 5 * second) == 60)
        #expect(quota.take(limited, now: 64 * second + 1) == 1)
        #expect(quota.take(limited, now: 65 * second) == nil)
    }

    @Test("several hosts share the limit")
    func hosts() throws {
        let quota = FallbackQuota(try WindowTable(), hosts: 3)
        for _ in 0..<3 { #expect(quota.take(limited, now: 0) == nil) }
        #expect(quota.take(limited, now: 0) != nil)
    }

    @Test("more hosts than events still grant one event each")
    func atLeastOne() throws {
        let quota = FallbackQuota(try WindowTable(), hosts: 100)
        #expect(quota.take(limited, now: 0) == nil)
        #expect(quota.take(limited, now: 0) != nil)
    }

    @Test("projects do not use up each other's limit")
    func projects() throws {
        let quota = FallbackQuota(try WindowTable(), hosts: 10)
        #expect(quota.take(limited, now: 0) == nil)
        #expect(quota.take(ProjectQuota(project: 2, events: 10, seconds: 60), now: 0) == nil)
        #expect(quota.take(limited, now: 0) != nil)
    }

    @Test("a shorter window takes hold at once, and a larger limit is granted in the same window")
    func changed() throws {
        let quota = FallbackQuota(try WindowTable(), hosts: 10)
        for (events, seconds, refusal) in [(10, 60, nil), (10, 60, 60), (10, 5, 5), (20, 60, nil), (20, 60, 5)] {
            let limit = ProjectQuota(project: 1, events: UInt32(events), seconds: UInt32(seconds))
            #expect(quota.take(limit, now: 0) == refusal.map { UInt32($0) })
        }
    }

    @Test("the windows of thousands of projects are kept apart, and of far too many those that end first are forgotten")
    func capacity() throws {
        let quota = FallbackQuota(try WindowTable(levels: 2), hosts: 10)
        func take(_ projects: Range<Int64>) -> Int {
            projects.count { quota.take(ProjectQuota(project: $0, events: 10, seconds: 60), now: $0) == nil }
        }
        #expect(take(1..<20_000) == 19_999)
        #expect(take(1..<20_000) == 0)
        #expect(take(1_000_000..<1_200_000) == 200_000)
        #expect(take(1_199_000..<1_200_000) == 0)
        #expect(take(1..<20_000) == 19_999)
    }

    @Test("what has ended makes room before the table grows")
    func growth() throws {
        let path = "/tmp/mesher-quota.\(UInt32.random(in: .min ... .max))"
        defer { unlink(path) }
        func size() -> Int {
            var status = stat()
            return stat(path, &status) == 0 ? Int(status.st_blocks) * 512 : 0
        }
        let quota = FallbackQuota(try WindowTable.open(path), hosts: 10)
        for minute in 0..<100 as Range<Int64> {
            for project in 0..<1_000 {
                let limit = ProjectQuota(project: minute * 1_000 + Int64(project), events: 10, seconds: 60)
                #expect(quota.take(limit, now: minute * 60 * second) == nil)
            }
        }
        #expect(size() < 1 << 20)
        for project in 0..<20_000 {
            let limit = ProjectQuota(project: Int64(project), events: 10, seconds: 60)
            #expect(quota.take(limit, now: 6_000 * second) == nil)
        }
        #expect(size() > 1 << 20)
    }

    @Test("the windows outlive the process, and a file that holds anything else is begun anew")
    func file() throws {
        let path = "/tmp/mesher-quota.\(UInt32.random(in: .min ... .max))"
        defer { unlink(path) }
        for position in 0..<3 {
            let quota = FallbackQuota(try WindowTable.open(path), hosts: 5)
            #expect((quota.take(limited, now: 0) == nil) == (position < 2))
        }
        let file = try #require(fopen(path, "r+"))
        fputs("anything", file)
        fclose(file)
        let quota = FallbackQuota(try WindowTable.open(path), hosts: 5)
        #expect(quota.take(limited, now: 0) == nil)
    }
}
