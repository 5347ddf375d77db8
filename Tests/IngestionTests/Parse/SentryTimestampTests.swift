import StorageChannel
import Testing

@testable import Ingestion

/// What becomes of the time at which an event of a Sentry SDK happened.
struct SentryTimestampTests {
    private static let timestampCases: [(String, Int64)] =
        [
            ("1699999000", 1_699_999_000_000_000), ("1699999000.123456789", 1_699_999_000_123_456),
            (#""1699999000.5""#, 1_699_999_000_500_000), (#""2023-11-14T21:56:40Z""#, 1_699_999_000_000_000),
            (#""2023-11-14T21:56:40""#, 1_699_999_000_000_000), (#""2023-11-14 21:56:40""#, 1_699_999_000_000_000),
            (#""2023-11-14T21:56:40.123456789Z""#, 1_699_999_000_123_456),
            (#""2023-11-14T21:56:40.123456+00:00""#, 1_699_999_000_123_456),
            (#""2023-11-14T23:56:40+02:00""#, 1_699_999_000_000_000),
            (#""2023-11-14T23:56:40+0200""#, 1_699_999_000_000_000),
            (#""2023-11-14T21:56:40 UTC""#, 1_699_999_000_000_000),
            (#""\u00a02023-11-14 21:56:40\n""#, 1_699_999_000_000_000),
            ("1700000060", 1_700_000_060_000_000), ("1700000061", ParsedEvent.receivedAt),
            (#""2099-01-01T00:00:00Z""#, ParsedEvent.receivedAt), ("1699999000000", ParsedEvent.receivedAt),
            ("null", ParsedEvent.receivedAt), (#""now""#, ParsedEvent.receivedAt), (#""""#, ParsedEvent.receivedAt),
            ("[]", ParsedEvent.receivedAt), ("true", ParsedEvent.receivedAt), ("1e999", ParsedEvent.receivedAt),
            (#""....""#, ParsedEvent.receivedAt), (#""1.2.3""#, ParsedEvent.receivedAt), ("0", 0), ("-1", -1_000_000),
        ] as [(String, Int64)]

    @Test(
        "a timestamp may be a number or a text with or without zone; what is none, or in the future, is the time of receipt",
        arguments: timestampCases)
    func timestamps(value: String, microseconds: Int64) throws {
        var parser = EventParser()
        #expect(
            try parser.parsed(#"{"timestamp":\#(value)}"#, as: .sentry(id: nil, sentAt: nil)).timestamp == microseconds)
    }

    private static let driftCases: [(Int64, String, Int64)] =
        [
            (-3_299, "1699996600", 1_699_996_600), (-3_300, "1699996600", 1_699_999_900),
            (-86_400, "1699913500", 1_699_999_900), (86_400, "1700086300", 1_699_999_900),
            (3_299, "1700000010", 1_700_000_010), (3_300, "1700003200", 1_699_999_900),
            // Corrected, and still in the future.
            (-3_300, "1700000000", 1_700_000_000),
            (-86_400, "null", 1_700_000_000),
        ] as [(Int64, String, Int64)]

    @Test(
        "a sender's clock that is off by 55 minutes or more is corrected by when it says it sent",
        arguments: driftCases)
    func drift(ahead: Int64, timestamp: String, seconds: Int64) throws {
        var parser = EventParser()
        let sentAt = ParsedEvent.receivedAt + ahead * 1_000_000
        let event = try parser.parsed(#"{"timestamp":\#(timestamp)}"#, as: .sentry(id: nil, sentAt: sentAt))
        #expect(event.timestamp == seconds * 1_000_000)
    }

    @Test(
        "no time at which an envelope claims to be sent, and no timestamp, is too far off",
        arguments: [Int64.min, .max, Timestamp.range.lowerBound, Timestamp.range.upperBound, 0])
    func extremeDrift(sentAt: Int64) throws {
        var parser = EventParser()
        for timestamp in ["-62135596800", "253402300799", "0", #""0001-01-01T00:00:00Z""#] {
            let event = try parser.parsed(#"{"timestamp":\#(timestamp)}"#, as: .sentry(id: nil, sentAt: sentAt))
            #expect(try Timestamp.range.contains(#require(event.timestamp)))
        }
    }
}
