import Testing

@testable import Ingestion

@Suite struct TimestampTests {
    /// Microseconds, or why there are none.
    private func read(
        _ text: String, _ parse: (UnsafeRawBufferPointer) throws(Timestamp.Fault) -> Int64
    ) -> Result<Int64, Timestamp.Fault> {
        var text = text
        return text.withUTF8 { bytes in
            do throws(Timestamp.Fault) {
                return .success(try parse(UnsafeRawBufferPointer(bytes)))
            } catch {
                return .failure(error)
            }
        }
    }

    @Test(
        "dates and times of RFC 3339 are read with any offset, in either case, to the microsecond",
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.000001Z", 1),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2023-11-14T22:13:20Z", 1_700_000_000_000_000),
            ("2023-11-14t22:13:20z", 1_700_000_000_000_000),
            ("2023-11-14 22:13:20", 1_700_000_000_000_000),
            ("2023-11-14T22:13:20", 1_700_000_000_000_000),
            ("2023-11-14T22:13:20.5", 1_700_000_000_500_000),
            ("2023-11-14T23:43:20+01:30", 1_700_000_000_000_000),
            ("2023-11-14T20:13:20-02:00", 1_700_000_000_000_000),
            ("2023-11-15T22:12:20+23:59", 1_700_000_000_000_000),
            ("2023-11-14T22:13:20-00:00", 1_700_000_000_000_000),
            ("2023-11-14T22:13:20.1234567899999999999999999999999Z", 1_700_000_000_123_456),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
            ("2016-12-31T23:59:60.75Z", 1_483_228_800_000_000),
            ("2016-12-31T15:59:60-08:00", 1_483_228_800_000_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
            ("2024-02-29T12:00:00Z", 1_709_208_000_000_000),
            ("1900-02-28T00:00:00Z", -2_203_977_600_000_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
            ("0000-12-31T23:00:00-01:00", -62_135_596_800_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ])
    func dateTimes(text: String, microseconds: Int64) {
        #expect(read(text, Timestamp.dateTime) == .success(microseconds))
    }

    @Test(
        "what is no date and time is refused",
        arguments: [
            "", "2023", "2023-11-14", "2023-11-14T", "2023-11-14T22:13", "2023-11-14T22:13:20+",
            "2023-11-14T22:13:20+01",
            "2023-11-14T22:13:20+0100", "2023-11-14T22:13:20+01:00Z", "2023-11-14T22:13:20ZZ", "2023-11-14T22:13:20 Z",
            "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20,5Z", "2023-11-14T22:13:20+24:00", "2023-11-14T22:13:20+01:60",
            "2023-11-14T24:00:00Z", "2023-11-14T22:60:00Z", "2023-11-14T22:13:61Z", "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z", "2023-01-00T00:00:00Z", "2023-01-32T00:00:00Z", "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z", "2023-04-31T00:00:00Z", "23-11-14T22:13:20Z", "2023-1-14T22:13:20Z",
            "2023/11/14T22:13:20Z", "2023-11-14X22:13:20Z", "2023-11-14_22:13:20Z", "2023-11-14\t22:13:20Z",
            " 2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z ", "1700000000", "now", "+2023-11-14T22:13:20Z",
            "-023-11-14T22:13:20Z", "２０２３-11-14T22:13:20Z", "2023-11-14T22:13:20\u{2212}01:00",
        ])
    func malformed(text: String) {
        #expect(read(text, Timestamp.dateTime) == .failure(.shape))
    }

    private static let spellings: [String] = [
        "2023-11-14T22:13:20Z", "2023-11-14t22:13:20z", "2023-11-14 22:13:20", "2023-11-14T22:13:20",
        "2023-11-14T23:13:20+0100",
        "2023-11-14T23:13:20 +0100", "2023-11-14 23:13:20 +01:00", "2023-11-14T22:13:20 UTC", "2023-11-14T22:13:20UTC",
        "2023-11-14T22:13:20 utc",
        "2023-11-14T22:13:20 GMT", "2023-11-14 22:13:20 Z", "2023-11-14T23:13:20+01", "2023-11-14T23:13:20 +01 00",
        "2023-11-14T23:13:20+01: 00",
        "2023-11-14T20:13:20-0200", "2023-11-14T20:13:20\u{2212}02:00", "2023-11-14T22:13:20-0000",
        " 2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z\n",
        "\u{a0}\t2023-11-14  22:13:20\u{3000}", "2023-11-14 T 22:13:20", "2023 - 11 - 14T22 : 13 : 20Z",
        "+2023-11-14T22:13:20Z", "2023-11-14\t22:13:20",
    ]

    @Test("senders spell dates and times in many ways", arguments: spellings)
    func lenient(text: String) {
        #expect(read(text, Timestamp.lenientDateTime) == .success(1_700_000_000_000_000))
    }

    @Test("a number may be of one digit, and a fraction stands before the zone")
    func lenientParts() {
        #expect(read("2023-1-2T3:4:5Z", Timestamp.lenientDateTime) == read("2023-01-02T03:04:05Z", Timestamp.dateTime))
        #expect(
            read("2023-1-2 3:4:5.25 +0000", Timestamp.lenientDateTime)
                == read("2023-01-02T03:04:05.25Z", Timestamp.dateTime))
        #expect(read("2023-11-14 22:13:20.", Timestamp.lenientDateTime) == .failure(.shape))
        #expect(read("0001-01-01T00:00:00+0100", Timestamp.lenientDateTime) == .failure(.range))
    }

    @Test(
        "what names no time is refused, however it is spelled",
        arguments: [
            "", " ", "T", "2023-11-14", "2023-11-14 ", "2023-11-1422:13:20", "2023-11-14_22:13:20",
            "2023-11-14TT22:13:20", "2023-11-14T22:13",
            "2023-11-14T22:13:20 CET", "2023-11-14T22:13:20+", "2023-11-14T22:13:20+1", "2023-11-14T22:13:20+1:00",
            "2023-11-14T22:13:20+24",
            "2023-11-14T22:13:20+0160", "2023-11-14T22:13:20+010", "2023-11-14T22:13:20+01000",
            "2023-11-14T22:13:20Z+0100", "2023-11-14T22:13:20 UTC+1x",
            "2023-111-14T22:13:20", "2023-11-141T22:13:20", "2023-11-14T222:13:20", "23-11-14T22:13:20",
            "-2023-11-14T22:13:20", "2023-13-1T1:1:1",
            "2023-2-29T1:1:1", "2023-11-14T24:00:00", "2023-11-14T22:13:20ZZ", "2023-11-14T22:13:20 Z Z",
            "2023-11-14T22:13:20\u{2212}", "2023--11-14T22:13:20",
        ])
    func lenientMalformed(text: String) {
        #expect(read(text, Timestamp.lenientDateTime) == .failure(.shape))
    }

    @Test(
        "dates and times before the year 1 or after 9999 are refused as such",
        arguments: [
            "0000-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:60Z",
        ])
    func dateTimesOutOfRange(text: String) {
        #expect(read(text, Timestamp.dateTime) == .failure(.range))
    }

    @Test(
        "seconds are exact to the microsecond, however they are written",
        arguments: [
            ("0", 0), ("-0", 0), ("0.0", 0), ("0e10", 0), ("0.000e-5", 0),
            ("1", 1_000_000), ("-1", -1_000_000), ("1700000000", 1_700_000_000_000_000),
            ("1700000000.123456", 1_700_000_000_123_456),
            ("1700000000.1234569", 1_700_000_000_123_456),
            ("1700000000.000001", 1_700_000_000_000_001),
            // As a double this is .299999952.
            ("1700000000.3", 1_700_000_000_300_000),
            ("-1.5", -1_500_000), ("0.000001", 1), ("0.0000009", 0), ("-0.000001", -1),
            ("1.7e9", 1_700_000_000_000_000), ("1.7E+9", 1_700_000_000_000_000), ("17e8", 1_700_000_000_000_000),
            ("1700000000000e-3", 1_700_000_000_000_000), ("1700000000123456789e-9", 1_700_000_000_123_456),
            ("0.0017e12", 1_700_000_000_000_000), ("0.00000000000017e22", 1_700_000_000_000_000),
            ("10", 10_000_000), ("100.5e0", 100_500_000), ("1e-6", 1), ("1e-7", 0), ("1e-99999999999999999999", 0),
            ("0e99999999999999999999", 0), ("12.5e1", 125_000_000), ("1.25e1", 12_500_000), ("1.05e2", 105_000_000),
            ("253402300799.999999", 253_402_300_799_999_999), ("-62135596800", -62_135_596_800_000_000),
        ])
    func seconds(text: String, microseconds: Int64) {
        #expect(read(text, Timestamp.seconds) == .success(microseconds))
    }

    @Test("a fraction may be as long as an event")
    func longFraction() {
        let nines = String(repeating: "9", count: 1_000_000)
        #expect(read("1970-01-01T00:00:00.\(nines)Z", Timestamp.dateTime) == .success(999_999))
        #expect(read("1970-01-01T00:00:00.\(nines)x", Timestamp.dateTime) == .failure(.shape))
    }

    @Test("an exponent may make up for as many zeros as an event holds")
    func longNumbers() {
        let zeros = String(repeating: "0", count: 500_000)
        #expect(read("0.\(zeros)1e500001", Timestamp.seconds) == .success(1_000_000))
        #expect(read("1\(zeros)e-500000", Timestamp.seconds) == .success(1_000_000))
        #expect(read("1.\(zeros)1", Timestamp.seconds) == .success(1_000_000))
    }

    @Test(
        "seconds before the year 1 or after 9999 are refused",
        arguments: [
            "253402300800", "999999999999", "9999999999999.999999", "1e12", "1e400", "1e99999999999999999999",
            "1700000000000", "-62135596801", "-1e300",
            "99999999999999999999999999999999999", "-62135596800.000001",
        ])
    func secondsOutOfRange(text: String) {
        #expect(read(text, Timestamp.seconds) == .failure(.range))
    }
}
