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
        #expect(event.counted == 1)
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
        for column: EventRecord.Column in [
            .platform, .environment, .release, .serverName, .logger, .transaction, .sdkName, .sdkVersion, .tags,
        ] {
            #expect(event[column] == nil)
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
}
