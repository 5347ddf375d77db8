import RecordedInputs
import StorageChannel
import Testing

@testable import Ingestion

extension SentrySample {
    func expect(of parser: inout EventParser, as form: EventForm = .sentry(id: nil, sentAt: nil)) throws {
        let parsed = try parser.parsed(event, as: form)
        for (column, text) in columns {
            let prefix = column == .tags && text != nil ? "\u{1}" : ""
            #expect(parsed.text(column) == text.map { prefix + $0 }, "\(column)")
        }
    }
}

@Suite struct SentryEventTests {
    private static let anything = EventForm.sentry(id: nil, sentAt: nil)

    @Test("nothing at all is an event, taken as an error at the time of receipt")
    func empty() throws {
        var parser = EventParser()
        let event = try parser.parsed("{}", as: Self.anything)
        #expect(event.id == ParsedEvent.derivedID)
        #expect(event.timestamp == ParsedEvent.receivedAt)
        #expect(event.text(.level) == "error")
        #expect(event.text(.message) == "<unlabeled event>")
        #expect(event.text(.payload) == "{}")
        for column in EventRecord.Column.allCases where !EventRecord.Column.ofEveryEvent.contains(column) {
            #expect(event[column] == nil, "\(column)")
        }
    }

    @Test(
        "what stands behind a container is found, whatever is in it",
        arguments: [
            "[]", "{}", #"{"a":[{},{"b":[[1,"]"]]}],"c":{"d":{}}}"#, deep(508), deep(509), deep(2_000), "[NaN,[NaN]]",
        ])
    func behind(container: String) throws {
        var parser = EventParser()
        let exception = #"{"stacktrace":\#(container),"mechanism":[\#(container)],"type":"T","value":"v"}"#
        let event = try parser.parsed(
            #"{"exception":{"a":\#(container),"values":[\#(exception),{"b":\#(container)}]},"level":"info"}"#,
            as: Self.anything)
        #expect(event.text(.message) == "T: v")
        #expect(event.text(.exceptionType) == "T")
        #expect(event.text(.level) == "info")
    }

    private static func deep(_ levels: Int) -> String {
        String(repeating: "[{\"a\":", count: levels / 2) + "1" + String(repeating: "},2]", count: levels / 2)
    }

    @Test("an event of each SDK comes to the columns it means", arguments: SentrySamples.all)
    func samples(sample: SentrySample) throws {
        var parser = EventParser()
        try sample.expect(of: &parser)
        #expect(try parser.parsed(sample.event, as: Self.anything).text(.payload) == sample.event)
    }

    private static let identifierCases: [(String, UInt128?, UInt128)] =
        [
            (#"{"event_id":"fc6d8c0c43fc4630ad850ee518f1b9d0"}"#, nil, 0xfc6d_8c0c_43fc_4630_ad85_0ee5_18f1_b9d0),
            (#"{"event_id":"FC6D8C0C-43fc-4630-AD85-0ee518f1b9d0"}"#, nil, 0xfc6d_8c0c_43fc_4630_ad85_0ee5_18f1_b9d0),
            (#"{"event_id":"fc6d8c0c43fc4630ad850ee518f1b9d0"}"#, 7, 7),
            (#"{"event_id":"x"}"#, 7, 7), (#"{}"#, 7, 7),
            (#"{"event_id":"fc6d8c0c43fc4630ad850ee518f1b9d"}"#, nil, ParsedEvent.derivedID),
            (#"{"event_id":"00000000000000000000000000000000"}"#, nil, ParsedEvent.derivedID),
            (#"{"event_id":"{fc6d8c0c-43fc-4630-ad85-0ee518f1b9d0}"}"#, nil, 0xfc6d_8c0c_43fc_4630_ad85_0ee5_18f1_b9d0),
            (
                #"{"event_id":"urn:uuid:fc6d8c0c-43fc-4630-ad85-0ee518f1b9d0"}"#, nil,
                0xfc6d_8c0c_43fc_4630_ad85_0ee5_18f1_b9d0
            ),
            (#"{"event_id":"{}"}"#, nil, ParsedEvent.derivedID), (#"{"event_id":"{"}"#, nil, ParsedEvent.derivedID),
            (#"{"event_id":"urn:uuid:"}"#, nil, ParsedEvent.derivedID),
            (#"{"event_id":12}"#, nil, ParsedEvent.derivedID), (#"{"event_id":null}"#, nil, ParsedEvent.derivedID),
            (#"{"event_id":["fc6d8c0c43fc4630ad850ee518f1b9d0"]}"#, nil, ParsedEvent.derivedID),
        ] as [(String, UInt128?, UInt128)]

    @Test(
        "the envelope's id comes before the event's, which may have dashes; none, a malformed one and that of all zeros are derived"
    )
    func identifiers() throws {
        var parser = EventParser()
        for (event, given, id) in Self.identifierCases {
            let parsed = try parser.parsed(event, as: .sentry(id: given, sentAt: nil))
            #expect(parsed.id == id, "\(event)")
            #expect(parsed[.eventID] == withUnsafeBytes(of: id.bigEndian, Array.init))
        }
    }

    private static let limits: [(String, EventRecord.Column, Int)] =
        [
            ("message", .message, 8_192), ("release", .release, 250), ("environment", .environment, 64),
            ("transaction", .transaction, 200), ("culprit", .transaction, 200), ("server_name", .serverName, 256),
            ("logger", .logger, 64), ("platform", .platform, 64),
        ] as [(String, EventRecord.Column, Int)]

    @Test(
        "texts are cut for their columns between two characters, and whole in the payload",
        arguments: limits)
    func cut(field: String, column: EventRecord.Column, limit: Int) throws {
        var parser = EventParser()
        for character in ["a", "é", "€", "😀"] {
            let longest = String(repeating: character, count: limit)
            for surplus in ["", "b", character] {
                let text = #"{"\#(field)":"\#(longest + surplus)"}"#
                let event = try parser.parsed(text, as: Self.anything)
                #expect(event.text(column) == longest)
                #expect(event.text(.payload) == text)
            }
        }
    }

    @Test("texts are without the white space around them, and a blank one is none")
    func whiteSpace() throws {
        var parser = EventParser()
        let spaces = [
            "", " ", "\t", "\n", "\r\n", "\u{0b}\u{0c}", "\u{85}", "\u{a0}", "\u{1680}", "\u{2000}", "\u{200a}",
            "\u{2028}", "\u{2029}",
            "\u{202f}", "\u{205f}", "\u{3000}", " \u{3000}\n\u{a0} ",
        ]
        for space in spaces {
            for text in ["", "a", "a b", "é", "日本", "\u{200b}", "\u{2030}", "\u{ffff}", "x\u{85}y"] {
                let json = (space + text + space).unicodeScalars.map {
                    $0.value < 0x20 ? "\\u00" + ($0.value < 16 ? "0" : "") + String($0.value, radix: 16) : String($0)
                }.joined()
                for (field, column, _) in Self.limits where field != "message" {
                    let event = try parser.parsed(#"{"\#(field)":"\#(json)"}"#, as: Self.anything)
                    #expect(event.text(column) == (text.isEmpty ? nil : text))
                }
                let event = try parser.parsed(#"{"sdk":{"name":"\#(json)","version":"\#(json)"}}"#, as: Self.anything)
                #expect(event.text(.sdkName) == (text.isEmpty ? nil : text))
                #expect(event.text(.sdkVersion) == (text.isEmpty ? nil : text))
            }
        }
    }

    @Test("a blank transaction leaves the column to the culprit, and what is cut was trimmed before")
    func blankAndLong() throws {
        var parser = EventParser()
        let event = try parser.parsed(
            #"{"transaction":" \n","culprit":" c ","release":"  \#(String(repeating: "r", count: 250)) "}"#,
            as: Self.anything)
        #expect(event.text(.transaction) == "c")
        #expect(event.text(.release) == String(repeating: "r", count: 250))
    }

    @Test(
        "environment, release and server name may come as tags alone, which stay",
        arguments: [
            (#""tags":{"environment":"e","release":"r","server_name":"s"}"#, "e", "r", "s"),
            (#""tags":[["environment","e"],["release","r"],["server_name","s"]]"#, "e", "r", "s"),
            (#""tags":[["environment","e"],["environment","f"]]"#, "e", nil, nil),
            (#""tags":{"environment":"e","environment":"f"}"#, "f", nil, nil),
            (
                #""environment":"x","release":"y","server_name":"z","tags":{"environment":"e","release":"r","server_name":"s"}"#,
                "x", "y", "z"
            ),
            (#""environment":" ","tags":{"environment":" \u0065\n"}"#, "e", nil, nil),
            (#""environment":null,"tags":{"environment":1}"#, "1", nil, nil),
            (#""tags":{"environment":"","release":" ","server_name":null}"#, nil, nil, nil),
            (#""tags":{"environment":["e"],"release":{"r":1},"server_name":true}"#, nil, nil, nil),
            (#""tags":["environment","e",["environment"],[],null,["release","r","more"]]"#, nil, "r", nil),
            (#""tags":"environment""#, nil, nil, nil), (#""tags":{"Environment":"e"," release":"r"}"#, nil, nil, nil),
        ] as [(String, String?, String?, String?)])
    func tagsAsColumns(fields: String, environment: String?, release: String?, serverName: String?) throws {
        var parser = EventParser()
        let event = try parser.parsed("{\(fields)}", as: Self.anything)
        #expect(event.text(.environment) == environment)
        #expect(event.text(.release) == release)
        #expect(event.text(.serverName) == serverName)
    }

    @Test(
        "a field of a type that it may not have is as good as none",
        arguments: [
            "type", "logentry", "message", "sentry.interfaces.Message", "exception", "sentry.interfaces.Exception",
            "contexts", "sdk", "tags", "platform", "environment", "release", "server_name", "logger", "transaction",
            "culprit", "level", "timestamp", "event_id", "user", "request", "breadcrumbs", "fingerprint", "extra",
            "modules", "threads", "debug_meta", "stacktrace",
        ])
    func wrongTypes(field: String) throws {
        var parser = EventParser()
        for value in [
            "null", "true", "{}", "[]", #""""#, "[[[]]]", #"[null,1,"x",{}]"#, #"{"values":{}}"#,
            #"{"values":[[],null,1]}"#,
            #"{"values":null,"formatted":[],"message":{},"params":1,"name":[],"version":{},"feedback":[],"type":{}}"#,
            #"{"feedback":{"message":{}}}"#, #"{"name":{"a":"b"}}"#,
        ] {
            let event = try parser.parsed(#"{"release":"r","\#(field)":\#(value),"zz":1}"#, as: Self.anything)
            #expect(event.text(.level) == "error")
            #expect(event.timestamp == ParsedEvent.receivedAt)
            // Of these a value of any type says something.
            let isMessage = field.contains("xception") || field.contains("essage") || field == "logentry"
            #expect(event.text(.message) == "<unlabeled event>" || isMessage, "\(value)")
            #expect(event.text(.release) == (field == "release" ? nil : "r"))
            #expect(event[.sdkName] == nil && event[.sdkVersion] == nil && event[.platform] == nil)
        }
    }

    @Test("numbers stand for texts")
    func numbersAsTexts() throws {
        var parser = EventParser()
        try SentrySample(
            "numbers", #"{"message":42,"release":20240101,"environment":1.5,"sdk":{"name":1,"version":2}}"#,
            [.message: "42", .release: "20240101", .environment: "1.5", .sdkName: "1", .sdkVersion: "2"]
        ).expect(of: &parser)
    }

    @Test(
        "an event that does not name its SDK has the name and version that stand beside the key",
        arguments: [
            ("raven-perl/1.08", "{}", "raven-perl", "1.08"), ("a/b/2", #"{"sdk":{"version":"1"}}"#, "a/b", "2"),
            ("raven", "{}", "raven", nil), ("raven/", "{}", "raven", nil), ("/2", "{}", nil, "2"),
            ("raven/1", #"{"sdk":{"name":"own"}}"#, "own", nil),
        ] as [(String, String, String?, String?)])
    func client(client: String, text: String, name: String?, version: String?) throws {
        var parser = EventParser()
        let event = try parser.parsed(text, as: .sentry(id: nil, sentAt: nil, client: Array(client.utf8)))
        #expect(event.text(.sdkName) == name && event.text(.sdkVersion) == version)
    }

    @Test("a transaction is no event")
    func transaction() {
        var parser = EventParser()
        let refusal = Refusal(.unsupportedItem, "unsupported item: transaction")
        #expect(parser.refusal(of: #"{"type":"transaction"}"#, as: Self.anything) == refusal)
        #expect(parser.refusal(of: #"{"type":"error"}"#, as: Self.anything) == nil)
        #expect(parser.refusal(of: #"{"type":"feedback"}"#, as: Self.anything) == nil)
    }

    private static let refusalCases: [(String, DiscardReason)] = [
        ("[]", DiscardReason.invalidEvent), ("", .invalidJSON), ("{", .invalidJSON), (#"{"a":nan}"#, .invalidJSON),
        (#"{"a":NaNs}"#, .invalidJSON), (#"{"a":Nan}"#, .invalidJSON), (#"{"a":+Infinity}"#, .invalidJSON),
        (#"{"a":--Infinity}"#, .invalidJSON), (#"{NaN:1}"#, .invalidJSON), (#"{"a":NaN,}"#, .invalidJSON),
        ("NaN", .invalidEvent), (#"{"a":NaN NaN}"#, .invalidJSON), (#"{"a":- Infinity}"#, .invalidJSON),
        (#"{"a":\#(String(repeating: "[", count: 64))1"#, .invalidJSON),
    ]

    @Test("what is no object, no JSON or too deep is refused as everywhere", arguments: refusalCases)
    func refusals(text: String, reason: DiscardReason) {
        var parser = EventParser()
        #expect(parser.refusal(of: text, as: Self.anything)?.reason == reason)
    }

    @Test("what is too large is refused as everywhere")
    func tooLarge() {
        var parser = EventParser()
        let text = #"{"a":"\#(String(repeating: "a", count: 1_048_576))"}"#
        #expect(parser.refusal(of: text, as: Self.anything)?.reason == .payloadTooLarge)
    }

    @Test("text that is not UTF-8 is refused")
    func invalidUTF8() {
        var parser = EventParser()
        let bytes = Array(#"{"message":"a"#.utf8) + [0xFF] + Array(#""}"#.utf8)
        #expect(parser.refusal(of: bytes, as: Self.anything)?.reason == .invalidJSON)
    }

    @Test("NaN and Infinity become null, as numbers and nowhere else; not on our own routes")
    func notFinite() throws {
        var parser = EventParser()
        let event = try parser.parsed(
            #"{"message":"NaN \n Infinity","tags":{"a":NaN,"b":"NaN"},"extra":[NaN, Infinity ,-Infinity,-1,{"NaN":[NaN]}]}"#,
            as: Self.anything)
        #expect(event.text(.message) == "NaN \n Infinity")
        #expect(event.text(.tags) == "\u{1}" + #"{"a":null,"b":"NaN"}"#)
        #expect(
            event.text(.payload)
                == #"{"message":"NaN \n Infinity","tags":{"a":null,"b":"NaN"},"extra":[null, null ,null,-1,{"NaN":[null]}]}"#
        )
        #expect(parser.refusal(of: #"{"message":"m","level":"info","x":NaN}"#)?.reason == .invalidJSON)
        #expect(parser.refusal(of: #"{"message":"m","level":"info","x":-Infinity}"#)?.reason == .invalidJSON)
    }

    @Test("an event may be full of NaN")
    func fullOfNaN() throws {
        var parser = EventParser()
        for count in [1, 1_000, 200_000] {
            let list = Array(repeating: "NaN", count: count).joined(separator: ",")
            let event = try parser.parsed(#"{"message":"m\u0021","x":[\#(list)]}"#, as: Self.anything)
            #expect(event[.payload]?.count == 27 + count * 5)
            #expect(event.text(.message) == "m!")
        }
    }
}
