import PostgreSQL
import Testing

@testable import Schema

struct PartitionTests {
    private static let bounds = """
        SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = $1
        """

    @Test("each missing day gets a partition with that day's bounds, and none is made twice")
    func makesMissingDays() throws {
        let connection = try TestDatabase.migrated().open()
        #expect(try value(connection, "SELECT mesher_make_partitions('2024-02-28', '2024-03-01')") == "3")
        #expect(try value(connection, "SELECT mesher_make_partitions('2024-02-27', '2024-03-01')") == "1")
        let leapDay = try value(connection, Self.bounds, ["events_20240229"])
        #expect(leapDay == "FOR VALUES FROM ('2024-02-29') TO ('2024-03-01')")
        #expect(
            try Partition.all(on: connection).map(\.day) == ["20240227", "20240228", "20240229", "20240301"])
    }

    @Test("the days made ahead are yesterday, today and a week")
    func makesDaysAhead() throws {
        let connection = try TestDatabase.migrated().open()
        #expect(try Partition.makeAhead(on: connection) == 9)
        #expect(try Partition.makeAhead(on: connection) == 0)
        let days = try Partition.all(on: connection).map { String($0.day) }
        #expect(try days.first == Partition.day(daysAgo: 1, on: connection))
        #expect(try days.last == Partition.day(daysAgo: -7, on: connection))
        #expect(try Partition.all(on: connection).allSatisfy { $0.state == .attached })
    }

    @Test("a date style and time zone of the caller's do not change what is made")
    func ignoresCallersSettings() throws {
        let connection = try TestDatabase.migrated().open()
        try connection.execute("SET datestyle = 'SQL, DMY'; SET timezone = 'Pacific/Apia'")
        #expect(try value(connection, "SELECT mesher_make_partitions('01/02/2024', '01/02/2024')") == "1")
        try connection.execute("SET datestyle = 'ISO'")
        let first = try value(connection, Self.bounds, ["events_20240201"])
        #expect(first == "FOR VALUES FROM ('2024-02-01') TO ('2024-02-02')")
    }

    @Test(
        "a range that is no range of 1 to 400 days is refused",
        arguments: [
            ("2024-01-02", "2024-01-01"), ("2024-01-01", "2025-02-04"), ("infinity", "infinity"),
            ("-infinity", "infinity"), ("0044-03-15 BC", "0044-03-15 BC"), ("9999-12-31", "10000-01-02"),
            ("1969-12-31", "1970-01-02"),
        ])
    func refusesRanges(first: String, last: String) throws {
        let connection = try TestDatabase.migrated().open()
        let error = #expect(throws: DatabaseError.self) {
            _ = try connection.query("SELECT mesher_make_partitions($1, $2)", [first, last])
        }
        #expect(error?.sqlState == "22023")
        #expect(try Partition.all(on: connection).isEmpty)
    }

    @Test("NULL is refused")
    func refusesNull() throws {
        let connection = try TestDatabase.migrated().open()
        #expect(throws: DatabaseError.self) {
            _ = try connection.query("SELECT mesher_make_partitions($1, $1)", [nil])
        }
    }

    @Test("several who make the same days at once all succeed, and each day is made once")
    func severalAtOnce() async throws {
        let database = try TestDatabase.migrated()
        let made = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let made = try value(database.open(), "SELECT mesher_make_partitions('2024-01-01', '2024-01-20')")
                    return made.flatMap { Int($0) } ?? 0
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(made == 20)
    }

    @Test("a partition that stands detached, with its rows, is attached again")
    func attachesAgain() throws {
        let connection = try TestDatabase.migrated().open()
        try connection.execute("SELECT mesher_make_partitions('2024-01-01', '2024-01-01')")
        try insertEvent(connection, on: "'2024-01-01'")
        try connection.execute("ALTER TABLE events DETACH PARTITION events_20240101")
        #expect(try Partition.all(on: connection).map(\.state) == [.detached])
        #expect(try value(connection, "SELECT mesher_make_partitions('2024-01-01', '2024-01-01')") == "1")
        #expect(try value(connection, "SELECT count(*) FROM events") == "1")
    }

    @Test("partitions are made while a transaction is inserting and another is reading")
    func makingWaitsForNobody() throws {
        let database = try TestDatabase.migrated()
        let maker = try database.open()
        let writer = try database.open()
        let reader = try database.open()
        _ = try Partition.makeAhead(on: maker)
        try writer.execute("BEGIN")
        try insertEvent(writer)
        try reader.execute("BEGIN; SELECT count(*) FROM events")
        #expect(try value(maker, "SELECT mesher_make_partitions('2024-01-01', '2024-01-01')") == "1")
    }

    @Test("an event of a day without a partition is refused with SQLSTATE 23514")
    func missingPartitionIsACheckViolation() throws {
        let connection = try TestDatabase.migrated().open()
        let error = #expect(throws: DatabaseError.self) { try insertEvent(connection, on: "'2024-01-01'") }
        #expect(error?.sqlState == "23514")
    }

    @Test("payloads in a partition are compressed with lz4")
    func partitionsCompressWithLZ4() throws {
        let connection = try TestDatabase.migrated().open()
        _ = try Partition.makeAhead(on: connection)
        let methods = try value(
            connection,
            """
            SELECT string_agg(DISTINCT attcompression::text, ',') FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
            WHERE relname LIKE 'events\\_%' AND relkind = 'r' AND attname = 'payload'
            """)
        #expect(methods == "l")
    }
}
