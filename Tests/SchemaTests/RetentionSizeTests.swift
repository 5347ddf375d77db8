import PostgreSQL
import TestServers
import Testing

@testable import Schema

struct RetentionSizeTests {
    private static func days(_ sizes: [Int64], held: Set<Int> = [], future: Int = 1) -> [RetentionSize.Day] {
        sizes.enumerated().map { place, size in
            RetentionSize.Day(
                name: "\(place)", isHeld: held.contains(place), isPast: place < sizes.count - future, size: size)
        }
    }

    @Test("no limit drops nothing, nor does one that is kept to")
    func nothing() {
        for limit: Int64 in [0, 60, 100] {
            let size = RetentionSize(Self.days([10, 20, 30]), limit: limit)
            #expect(size.due.isEmpty && size.excess == 0 && size.held.isEmpty, "\(limit)")
        }
    }

    @Test("the oldest go until the rest fits, and no more")
    func oldest() {
        #expect(RetentionSize(Self.days([10, 20, 30]), limit: 59).due == ["0"])
        #expect(RetentionSize(Self.days([10, 20, 30]), limit: 50).due == ["0"])
        #expect(RetentionSize(Self.days([10, 20, 30]), limit: 49).due == ["0", "1"])
        let all = RetentionSize(Self.days([10, 20, 30]), limit: 1)
        #expect(all.due == ["0", "1"] && all.excess == 29)
    }

    @Test("days that are held and days that are not over stay, and it says what is too much then")
    func stays() {
        let held = RetentionSize(Self.days([10, 20, 30, 5], held: [0], future: 2), limit: 30)
        #expect(held.held == ["0"] && held.due == ["1"] && held.excess == 15)
        let enough = RetentionSize(Self.days([10, 20, 30, 5], held: [0], future: 2), limit: 45)
        #expect(enough.held == ["0"] && enough.due == ["1"] && enough.excess == 0)
    }

    @Test(
        "retention drops the oldest days for the size of all, says who keeps one, and does it when that session is gone"
    )
    func drops() throws {
        let database = try TestDatabase.migrated()
        let connection = try database.open()
        let today = "CAST(now() AT TIME ZONE 'UTC' AS date)"
        try connection.execute("SELECT mesher_make_partitions(\(today) - 3, \(today))")
        let partitions = try Partition.all(on: connection)
        let size = try partitions[0].size(on: connection)
        // Empty ones are equally large. Two fit.
        let retention = Retention(days: 30, size: 2 * size, lockTimeout: 50, attempts: 1)
        let names = partitions.map(\.name)
        _ = try Partition.hold(String(partitions[1].day), true, on: connection)
        let plan = try retention.plan(on: connection)
        #expect(plan.dropped == [names[0], names[2]] && plan.forSize == plan.dropped)
        #expect(plan.held == [names[1]] && plan.excess == 0)
        #expect(try Partition.all(on: connection).count == 4)

        let reader = try database.open()
        try reader.execute("SET application_name = 'report'; BEGIN; SELECT count(*) FROM \(names[0])")
        // Longer than the wait: it may be the reason.
        try connection.execute("SELECT pg_sleep(0.1)")
        let blocked = try retention.apply(on: connection)
        #expect(blocked.busy.contains(names[0]))
        let pid = try value(reader, "SELECT pg_backend_pid()").flatMap { Int32($0) }
        let blocker = try #require(blocked.blockers.first { $0.pid == pid })
        #expect(blocker.user == "postgres" && blocker.application == "report" && blocker.state == "idle in transaction")
        #expect(blocker.since?.hasSuffix("Z") == true)
        try reader.execute("COMMIT")

        #expect(try retention.apply(on: connection).busy.isEmpty)
        #expect(try Partition.all(on: connection).map(\.name) == [names[1], names[3]])
        #expect(try retention.apply(on: connection).dropped.isEmpty)
    }
}
