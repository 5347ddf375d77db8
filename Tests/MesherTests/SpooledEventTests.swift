import Testing

@testable import mesher

@Suite struct SpooledEventTests {
    @Test(
        "PostgreSQL's times are RFC 3339",
        arguments: [
            (0, "2000-01-01T00:00:00.000000Z"), (-1, "1999-12-31T23:59:59.999999Z"),
            (820_638_245_000_006, "2026-01-02T03:04:05.000006Z"), (5_097_600_000_000, "2000-02-29T00:00:00.000000Z"),
            (-946_684_800_000_000, "1970-01-01T00:00:00.000000Z"),
            (-946_684_800_000_001, "1969-12-31T23:59:59.999999Z"),
            (-63_082_281_600_000_000, "0001-01-01T00:00:00.000000Z"),
            (252_455_615_999_999_999, "9999-12-31T23:59:59.999999Z"),
        ])
    func moments(microseconds: Int64, text: String) {
        #expect(PostgreSQLTime.moment(microseconds) == text)
    }

    @Test(
        "a time that RFC 3339 cannot say is none",
        arguments: [Int64.min, .max, -63_082_281_600_000_001, 252_455_616_000_000_000])
    func impossible(microseconds: Int64) {
        #expect(PostgreSQLTime.moment(microseconds) == nil)
    }

    @Test("so are PostgreSQL's days")
    func days() {
        #expect(
            [0, -1, 59, -730_119, 2_921_939].map(PostgreSQLTime.day) == [
                "2000-01-01", "1999-12-31", "2000-02-29", "0001-01-01", "9999-12-31",
            ])
        #expect([Int64.min, .max, -730_120, 2_921_940].allSatisfy { PostgreSQLTime.day($0) == nil })
    }

    @Test("bytes that are no record, or no UTF-8, are no event")
    func noEvent() {
        let record = TestSpool.record(id: 1)
        #expect(SpooledEvent(record) != nil)
        for count in 0..<record.count { #expect(SpooledEvent(Array(record[..<count])) == nil) }
        #expect(SpooledEvent(record.map { $0 == 0xc3 ? 0xff : $0 }) == nil)
    }
}
