import StorageChannel
import Testing

@testable import Ingestion

@Suite struct EventParserTests {
    @Test("the least event becomes a whole frame, with what it lacks taken from the request")
    func leastEvent() throws {
        var parser = EventParser()
        let text = #" {"message":"no","level":"error"} "#
        let event = try parser.parsed(text)
        #expect(event.id == ParsedEvent.derivedID)
        #expect(event.ticket == 7)
        #expect(event.flags == .counted)
        #expect(event.integer(.projectID) == 42)
        #expect(
            event[.eventID] == [
                1, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 1, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
            ])
        #expect(event.integer(.receivedAt) == ParsedEvent.receivedAt - EventRecord.epochOffset)
        #expect(event.timestamp == ParsedEvent.receivedAt)
        // 1,700,000,000 s are 2023-11-14.
        #expect(event.integer(.receivedOn) == 8718)
        #expect(event.text(.level) == "error")
        #expect(event.text(.message) == "no")
        for column in EventRecord.Column.allCases where !EventRecord.Column.ofEveryEvent.contains(column) {
            #expect(event[column] == nil, "\(column)")
        }
        #expect(event.text(.payload) == #"{"message":"no","level":"error"}"#)
    }

    @Test("every known field comes to its column, with its escapes resolved")
    func everyField() throws {
        var parser = EventParser()
        let event = try parser.parsed(
            #"""
            {"message" : "a\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00z", "level": "fatal",
             "event_id": "fc6d8c0c-43fc-4630-ad85-0ee518f1b9d0", "timestamp": 1600000000.5,
             "platform": "python", "environment": "", "release": "1.0", "server_name": "web", "logger": "root",
             "transaction": "/", "sdk_name": "sentry", "sdk_version": "2", "tags": {"a": [1]} , "unknown": [true, false],
             "fingerprint": ["a", "b"], "exception": {}, "stacktrace": [], "breadcrumbs": [{}], "extra": {"x": null},
             "user": {"id": 12345678901234567890123}, "user_context": null}
            """#)
        #expect(event.id == 0xfc6d_8c0c_43fc_4630_ad85_0ee5_18f1_b9d0)
        #expect(event.timestamp == 1_600_000_000_500_000)
        #expect(event.text(.message) == "a\"\\/\u{8}\u{C}\n\r\té€😀z")
        #expect(event.text(.level) == "fatal")
        #expect(event.text(.platform) == "python")
        #expect(event.text(.environment) == "")
        #expect(event.text(.release) == "1.0")
        #expect(event.text(.serverName) == "web")
        #expect(event.text(.logger) == "root")
        #expect(event.text(.transaction) == "/")
        #expect(event.text(.sdkName) == "sentry")
        #expect(event.text(.sdkVersion) == "2")
        #expect(event.text(.tags) == "\u{1}{\"a\": [1]}")
    }

    @Test(
        "columns that came later are made of what is usable, and nobody is refused for them",
        arguments: [
            (#""dist":"7""#, "7", nil, nil), (#""dist":7"#, "7", nil, nil), (#""dist":[7]"#, nil, nil, nil),
            (#""dist":" \t ""#, nil, nil, nil), (#""user":{"id":"\u0061"}"#, nil, nil, "a"),
            (#""user":{"email":"e","id":12345678901234567890}"#, nil, nil, "12345678901234567890"),
            (#""user":{"username":"u","email":"e","id":" "}"#, nil, nil, "e"),
            (#""user":{"username":"u","id":[1]}"#, nil, nil, "u"),
            (#""exception":{"type":"T"}"#, nil, "T", nil),
            (#""exception":[{"type":"A"},{"type":"B"},{"mechanism":{}}]"#, nil, "B", nil),
            (#""exception":{"values":[{"type":"A"},{"value":"v"}]}"#, nil, nil, nil),
            (#""exception":{"values":7}"#, nil, nil, nil),
        ] as [(String, String?, String?, String?)])
    func laterColumns(fields: String, dist: String?, type: String?, user: String?) throws {
        var parser = EventParser()
        let text = #"{"message":"m","level":"info",\#(fields)}"#
        let event = try parser.parsed(text)
        #expect(event.text(.dist) == dist && event.text(.exceptionType) == type && event.text(.userID) == user)
        #expect(event.text(.payload) == text)
        let sent = try parser.parsed(text, as: .sentry(id: nil, sentAt: nil))
        #expect(sent.text(.dist) == dist && sent.text(.exceptionType) == type && sent.text(.userID) == user)
    }

    @Test(
        "a refusal names the field and the rule, and appends nothing",
        arguments: [
            (#"{"level":"info"}"#, DiscardReason.missingMessage, "missing required field: message"),
            (#"{"level":"info","message":null}"#, .missingMessage, "missing required field: message"),
            (#"{"level":"info","message":""}"#, .missingMessage, "missing required field: message"),
            (#"{"level":"info","message":1}"#, .invalidField, "invalid message: must be a string"),
            (#"{"message":"m"}"#, .missingLevel, "missing required field: level"),
            (#"{"message":"m","level":null}"#, .missingLevel, "missing required field: level"),
            (
                #"{"message":"m","level":"warn"}"#, .invalidLevel,
                "invalid level: must be fatal, error, warning, info, or debug"
            ),
            (
                #"{"message":"m","level":3}"#, .invalidLevel,
                "invalid level: must be fatal, error, warning, info, or debug"
            ),
            (#"[]"#, .invalidEvent, "invalid event: must be an object"),
            (#"3"#, .invalidEvent, "invalid event: must be an object"),
            (#""x""#, .invalidEvent, "invalid event: must be an object"),
            (#"null"#, .invalidEvent, "invalid event: must be an object"),
            ("", .invalidJSON, "invalid JSON: unexpected end at byte 0"),
            ("  ", .invalidJSON, "invalid JSON: unexpected end at byte 2"),
        ])
    func refusals(text: String, reason: DiscardReason, error: String) {
        var parser = EventParser()
        #expect(parser.refusal(of: text) == Refusal(reason, error))
    }

    @Test(
        "an optional field may be null, and is refused when it has another type than it must",
        arguments: [
            (["event_id"], "32 hex digits or a UUID", [#""x""#, "1", "{}", "[]", "true", #""""#]),
            (
                ["timestamp"], "an RFC 3339 date and time, or seconds since 1970",
                [#""yesterday""#, "{}", "[]", "true", #""""#]
            ),
            (["timestamp"], "within the years 0001 to 9999", ["1e300", #""0000-01-01T00:00:00Z""#]),
            (
                [
                    "platform", "environment", "release", "server_name", "logger", "transaction", "sdk_name",
                    "sdk_version",
                ], "a string", ["1", "{}", "[]", "false"]
            ),
            (
                ["fingerprint"], "a string or an array of strings",
                ["1", "{}", "[1]", #"["a",null]"#, #"[["a"]]"#, #"["a",{}]"#, "[[]]", "true"]
            ),
            (["exception", "stacktrace", "breadcrumbs"], "an object or an array", ["1", #""x""#, "true"]),
            (["tags", "extra", "user", "user_context"], "an object", ["1", #""x""#, "[]", "false"]),
            (
                ["tags"],
                "an object with numbers of at most 131072 digits before and 16383 behind the point, 1048576 in all",
                [
                    "{\"n\":[\(Array(repeating: "1e131071", count: 9).joined(separator: ","))]}", #"{"n":1e131072}"#,
                    #"{"n":[{"m":-1e400000}]}"#, #"{"n":1e-16384}"#, #"{"n":1e99999999999999999999}"#,
                ]
            ),
        ] as [([String], String, [String])])
    func optionalFields(names: [String], rule: String, wrong: [String]) throws {
        var parser = EventParser()
        for name in names {
            #expect(parser.refusal(of: #"{"message":"m","level":"info","\#(name)":null}"#) == nil)
            for value in wrong {
                #expect(
                    parser.refusal(of: #"{"message":"m","level":"info","\#(name)":\#(value)}"#)
                        == Refusal(.invalidField, "invalid \(name): must be \(rule)"), "\(value)")
            }
        }
    }

    @Test(
        "what the contract allows in a field is taken",
        arguments: [
            #""fingerprint":"a""#, #""fingerprint":[]"#, #""fingerprint":["a","b"]"#, #""exception":[]"#,
            #""stacktrace":{"frames":[]}"#, #""breadcrumbs":{"values":[]}"#, #""tags":{}"#,
            #""tags":{"a":1.5,"b":[{}],"n":1e131071,"m":1e-16383}"#, #""extra":{"n":1e400000}"#, #""x":1e400000"#,
            #""tags":{"n":1e400000},"tags":{"n":1}"#, #""user":{"id":null}"#, #""level":"debug""#,
            #""level":"warning""#,
        ])
    func allowed(field: String) {
        var parser = EventParser()
        #expect(parser.refusal(of: #"{"message":"m","level":"info",\#(field)}"#) == nil)
    }

    @Test("of a field that comes twice the last counts, also when it is null")
    func duplicates() throws {
        var parser = EventParser()
        let event = try parser.parsed(
            #"{"message":1,"level":"x","message":"m","level":"info","release":"1","release":null,"tags":1,"tags":{"a":1}}"#
        )
        #expect(event.text(.message) == "m")
        #expect(event.text(.level) == "info")
        #expect(event[.release] == nil)
        #expect(event.text(.tags) == "\u{1}{\"a\":1}")
        #expect(
            parser.refusal(of: #"{"message":"m","level":"info","message":null}"#)
                == Refusal(.missingMessage, "missing required field: message"))
    }

    @Test("names are known as they are written, and only on the event's own level")
    func names() throws {
        var parser = EventParser()
        let event = try parser.parsed(
            #"{"x":{"release":"1"},"Release":"2","release ":"3","message":"m","level":"info","platform":"p"}"#)
        #expect(event[.release] == nil)
        #expect(event.text(.platform) == "p")
        #expect(parser.refusal(of: #"{"x":{"message":"m"},"level":"info"}"#)?.reason == .missingMessage)
    }

    @Test("a claimed time up to 60 s ahead of receipt is believed, one further ahead is the time of receipt")
    func timeAhead() throws {
        var parser = EventParser()
        func timestamp(_ value: String) throws -> Int64? {
            try parser.parsed(#"{"message":"m","level":"info","timestamp":\#(value)}"#).timestamp
        }
        #expect(try timestamp("1700000060") == 1_700_000_060_000_000)
        #expect(try timestamp("1700000060.000001") == ParsedEvent.receivedAt)
        #expect(try timestamp(#""9999-12-31T23:59:59Z""#) == ParsedEvent.receivedAt)
        #expect(try timestamp("null") == ParsedEvent.receivedAt)
        #expect(try timestamp("-1") == -1_000_000)
        #expect(try timestamp(#""0001-01-01T00:00:00Z""#) == -62_135_596_800_000_000)
    }

    @Test("the day of receipt is that of UTC, also before 2000")
    func dayOfReceipt() throws {
        func day(_ receivedAt: Int64) throws -> Int64? {
            var parser = EventParser()
            return try parser.parsed(Array(#"{"message":"m","level":"info"}"#.utf8), receivedAt: receivedAt)
                .integer(.receivedOn)
        }
        #expect(try day(946_684_800_000_000) == 0)
        #expect(try day(946_684_799_999_999) == -1)
        #expect(try day(946_684_800_000_000 - 86_400_000_000) == -1)
        #expect(try day(946_771_199_999_999) == 0)
        #expect(try day(946_771_200_000_000) == 1)
    }

    @Test("an event of exactly 1 MiB is taken, and one byte more refused whatever it is")
    func size() throws {
        var parser = EventParser()
        let frame = #"{"message":"","level":"info"}"#
        let filler = String(repeating: "x", count: EventParser.maximumSize - frame.utf8.count)
        let largest = frame.replacing(#":"""#, with: #":"\#(filler)""#, maxReplacements: 1)
        #expect(largest.utf8.count == EventParser.maximumSize)
        #expect(try parser.parsed(largest).text(.message) == filler)
        #expect(parser.refusal(of: largest + " ") == Refusal(.payloadTooLarge, "payload too large"))
        #expect(
            parser.refusal(of: String(repeating: "x", count: EventParser.maximumSize + 1))?.reason == .payloadTooLarge)
    }
}
