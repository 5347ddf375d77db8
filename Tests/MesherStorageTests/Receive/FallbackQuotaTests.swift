import StorageChannel
import Testing

@testable import mesher_storage

@Suite struct FallbackQuotaTests {
    private let second: Int64 = 1_000_000_000
    private let limited = ProjectQuota(project: 1, events: 10, seconds: 60)

    @Test("the limit is granted in full, then refused until the window ends, then granted again")
    func window() {
        var quota = FallbackQuota(hosts: 1)
        for _ in 0..<10 { #expect(quota.take(limited, now: 5 * second) == nil) }
        #expect(quota.take(limited, now: 5 * second) == 60)
        #expect(quota.take(limited, now: 64 * second + 1) == 1)
        #expect(quota.take(limited, now: 65 * second) == nil)
    }

    @Test("several hosts share the limit")
    func hosts() {
        var quota = FallbackQuota(hosts: 3)
        for _ in 0..<3 { #expect(quota.take(limited, now: 0) == nil) }
        #expect(quota.take(limited, now: 0) != nil)
    }

    @Test("more hosts than events still grant one event each")
    func atLeastOne() {
        var quota = FallbackQuota(hosts: 100)
        #expect(quota.take(limited, now: 0) == nil)
        #expect(quota.take(limited, now: 0) != nil)
    }

    @Test("projects do not use up each other's limit")
    func projects() {
        var quota = FallbackQuota(hosts: 10)
        #expect(quota.take(limited, now: 0) == nil)
        #expect(quota.take(ProjectQuota(project: 2, events: 10, seconds: 60), now: 0) == nil)
        #expect(quota.take(limited, now: 0) != nil)
    }

    @Test("when too many projects are counted, the window that ends first is forgotten")
    func capacity() {
        var quota = FallbackQuota(hosts: 10, capacity: 2)
        for project in 1...3 {
            let limit = ProjectQuota(project: Int64(project), events: 10, seconds: 60)
            #expect(quota.take(limit, now: Int64(project)) == nil)
        }
        #expect(quota.take(ProjectQuota(project: 3, events: 10, seconds: 60), now: 4) != nil)
        #expect(quota.take(ProjectQuota(project: 2, events: 10, seconds: 60), now: 4) != nil)
        #expect(quota.take(limited, now: 4) == nil)
    }
}
