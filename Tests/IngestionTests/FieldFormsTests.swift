import StorageChannel
import Testing

@testable import Ingestion

/// What senders in the field send that no document tells them to, at every door where it can come in.
struct FieldFormsTests {
    private static let id = "9ec79c33ec9942ab8353589fcb2e04dc"
    private static let nils = [
        #""00000000000000000000000000000000""#, #""00000000-0000-0000-0000-000000000000""#, #""""#, #""   ""#, "null",
    ]

    // MARK: Ids that stand for none

    @Test("an id of all zeros, of blanks, or null in an envelope's header is none", arguments: nils)
    func nilOfEnvelope(id: String) throws {
        let own = #"{"event_id":"\#(Self.id)","message":"m"}"#
        let header = #"{"event_id":\#(id)}"#
        for (event, expected) in [(own, UInt128(Self.id, radix: 16)), (Edge.validEvent, 5)] {
            let end = try FieldRequest.post(
                "\(header)\n{\"type\":\"event\"}\n\(event)", to: "/api/7/envelope/",
                requestID: "00000000000000000000000000000005")
            #expect(end.status == 200 && end.identifiers == [expected])
            #expect(end.text.contains(expected == 5 ? "00000005\"" : Self.id))
        }
    }

    @Test(
        "an id may be written in any of a UUID's forms, in the event and in an envelope's header",
        arguments: ["9EC79C33-ec99-42ab-8353-589fcb2e04dc", "{ID}", "urn:uuid:ID"])
    func forms(form: String) throws {
        let id = form.replacing("ID", with: "9ec79c33-ec99-42ab-8353-589fcb2e04dc")
        let own = #"{"event_id":"\#(id)","message":"m"}"#
        let envelope = "{\"event_id\":\"\(id)\"}\n{\"type\":\"event\"}\n{\"message\":\"m\"}"
        for (text, path) in [(own, "/api/7/store/"), (own, "/api/7/envelope/"), (envelope, "/api/7/envelope/")]
            as [(String, StaticString)]
        {
            #expect(try FieldRequest.post(text, to: path).text == #"{"id":"\#(Self.id)"}"#, "\(path)")
        }
    }

    @Test(
        "an event's own id of all zeros is none: one made from the request takes its place", arguments: nils.prefix(2))
    func nilOfEvent(id: String) throws {
        let event = #"{"event_id":\#(id),"message":"m","level":"info"}"#
        #expect(try FieldRequest.post(event, to: "/api/7/store/").identifiers == [1])
        #expect(try FieldRequest.post("{}\n{\"type\":\"event\"}\n\(event)", to: "/api/7/envelope/").identifiers == [1])
        #expect(try FieldRequest.post(event, to: "/api/v1/events").identifiers == [1])
        #expect(try FieldRequest.post("[\(event),\(event)]", to: "/api/v1/events/bulk").identifiers == [1, 2])
        let edge = Edge.knowingKey()
        edge.machine.openStream(Edge.key)
        for token in 1...2 {
            var body = Body(count: event.utf8.count)
            body.withUnsafeMutableBytes { $0.copyBytes(from: event.utf8) }
            edge.machine.receive(message: body, firstID: UInt128(10 * token), token: token, now: edge.now, wall: 0)
        }
        edge.turn()
        #expect(try FieldRequest.end(of: edge).identifiers == [10, 20])
    }

    // MARK: Events without an envelope, and envelopes where an event should be

    private static let plainEvents = [
        #"{"message":"It broke"}"#, #"{"event_id":"x","exception":{"values":[{"type":"It broke"}]}}"#,
        "{\n  \"message\": \"It broke\",\n  \"level\": \"error\"\n}\n",
        " {\"logentry\":{\"formatted\":\"It broke\"}}\n\n",
        #"{"message":"It broke","extra":{"a":NaN}}"#,
    ]

    @Test("an event that is sent where an envelope should be is stored", arguments: plainEvents)
    func plainEvent(event: String) throws {
        for type in ["application/json", "application/x-sentry-envelope"] as [StaticString] {
            for path in ["/api/7/envelope/", "/api/7/store/"] as [StaticString] {
                let end = try FieldRequest.post(event, to: path, type: type)
                #expect(end.status == 200 && end.text == #"{"id":"00000000000000000000000000000001"}"#)
                #expect(end.text(.message) == "It broke")
            }
        }
    }

    @Test("an event that is longer than an envelope's header may be is stored, compressed too")
    func longPlainEvent() throws {
        let event = #"{"message":"It broke","extra":{"a":"\#(String(repeating: "x", count: 100_000))"}}"#
        #expect(try FieldRequest.post(event, to: "/api/7/envelope/").text(.message) == "It broke")
        let compressed = Compression.gzip.compress(Array(event.utf8))
        #expect(
            try FieldRequest.post(compressed, to: "/api/7/envelope/", encoding: "gzip").text(.message) == "It broke")
    }

    @Test(
        "what may have been an event is never answered with 200 and dropped",
        arguments: [
            ("{\"message\":\"a\"}\n{\"message\":\"b\"}", "an item's header has no type"),
            ("{\"message\":\"a\"}\n{\"message\":\"b\"}\n{\"message\":\"c\"}", "an item's header has no type"),
            ("{\"event_id\":\"\(id)\"}\n{\"message\":\"b\"}", "an item's header has no type"),
            ("{\"event_id\":\"\(id)\"}\n{\"length\":2}\n{}", "an item's header has no type"),
            ("{\"message\":\"a\"}\n{\"type\":\"session\"}\n{}", "an event stands where its header should"),
            ("{\"message\":", "its header is no JSON object"), ("{\"a\":1} {\"b\":2}", "its header is no JSON object"),
        ])
    func neither(text: String, fault: String) throws {
        let end = try FieldRequest.post(text, to: "/api/7/envelope/")
        #expect(end.status == 400)
        #expect(end.text == #"{"detail":"invalid envelope: \#(fault)","causes":["invalid_envelope"]}"#)
    }

    @Test(
        "what envelopes hold besides events is still answered with 200",
        arguments: ["{}", "{}\n", #"{"event_id":null}"#])
    func empty(text: String) throws {
        #expect(try FieldRequest.post(text, to: "/api/7/envelope/").status == 200)
        #expect(try FieldRequest.post(text + "\n{\"type\":\"session\"}\n{}", to: "/api/7/envelope/").status == 200)
    }

    @Test("an envelope that is sent where an event should be is stored, whatever its type says")
    func envelopeOnStore() throws {
        for newline in ["\n", "\r\n"] {
            let envelope = ["{\"event_id\":\"\(Self.id)\"}", "{\"type\":\"event\"}", #"{"message":"It broke"}"#, ""]
            let end = try FieldRequest.post(
                envelope.joined(separator: newline), to: "/api/7/store/", type: "application/json")
            #expect(end.status == 200 && end.text == #"{"id":"\#(Self.id)"}"#)
            #expect(end.text(.message) == "It broke")
        }
        #expect(try FieldRequest.post("{\"message\":\"a\"}\n{\"message\":\"b\"}", to: "/api/7/store/").status == 400)
        #expect(try FieldRequest.post("{\"event_id\":\"\(Self.id)\"}\n", to: "/api/7/store/").status == 200)
    }

    @Test("lines of an envelope may end with a carriage return, with and without lengths, and empty lines at the end")
    func carriageReturns() throws {
        let event = #"{"message":"It broke"}"#
        for length in ["", #","length":\#(event.utf8.count)"#] {
            for end in ["", "\r\n", "\r\n\r\n", "\n", "\r\n{\"type\":\"session\"}\r\n{}\r\n"] {
                let text = "{}\r\n{\"type\":\"event\"\(length)}\r\n\(event)\(end)"
                let answer = try FieldRequest.post(text, to: "/api/7/envelope/")
                #expect(answer.status == 200 && answer.text(.message) == "It broke", "\(text)")
            }
        }
        // A lone one parts nothing.
        let lone = "{}\n{\"type\":\"event\",\"length\":\(event.utf8.count)}\n\(event)\r{\"type\":\"session\"}\n{}"
        #expect(try FieldRequest.post(lone, to: "/api/7/envelope/").status == 400)
    }

    // MARK: Lines

    @Test("a bulk that begins with a brace can only be lines, whatever its type says")
    func lines() throws {
        let text = "\n{\"message\":\"a\",\"level\":\"info\"}\n\n{\"message\":\"b\",\"level\":\"info\"}\r\n{\"message\":"
        for type in [nil, "application/json", "application/x-ndjson"] as [StaticString?] {
            let end = try FieldRequest.post(text, to: "/api/v1/events/bulk", type: type)
            #expect(end.status == 202 && end.identifiers == [1, 2])
            #expect(end.text.contains(#""accepted":2,"rejected":1"#))
        }
    }

    // MARK: What stands beside the body

    @Test(
        "the sender's name is taken from a header or a query, of one word or several",
        arguments: [
            (nil, "sentry_version=7&sentry_client=raven-js%2F3.22.1&sentry_key=x", "raven-js", "3.22.1"),
            (nil, "sentry_client=my+old%20client%2f1", "my old client", "1"),
            ("sentry_client=my old client/1.0, sentry_version=7", nil, "my old client", "1.0"),
            ("sentry_client = raven/2 sentry_version = 7", nil, "raven", "2"),
            ("sentry_client=\"a b/3\"", nil, "a b", "3"),
            ("sentry_client=raven", "sentry_client=other%2F1", "raven", nil),
        ] as [(String?, StaticString?, String, String?)])
    func clients(header: String?, query: StaticString?, name: String, version: String?) throws {
        let key = "Sentry \(header.map { $0 + ", " } ?? "")sentry_key=\(Edge.keyText)"
        let envelope = "{}\n{\"type\":\"event\"}\n{\"message\":\"m\"}"
        for (text, path) in [("{\"message\":\"m\"}", "/api/7/store/"), (envelope, "/api/7/envelope/")]
            as [(String, StaticString)]
        {
            let end = try FieldRequest.post(text, to: path, key: key, query: query)
            #expect(end.text(.sdkName) == name && end.text(.sdkVersion) == version)
        }
    }

    @Test(
        "a sender's clock that is off is corrected by the time beside its key, where no envelope says otherwise",
        arguments: ["1700086400", "1700086400.5", "2023-11-15T22:13:20Z"])
    func timeOfSending(sentAt: String) throws {
        let event = #"{"message":"m","timestamp":1700086400}"#
        let key = "Sentry sentry_timestamp=\(sentAt), sentry_key=\(Edge.keyText)"
        func seconds(_ text: String, _ path: StaticString) throws -> Int64? {
            let time = try FieldRequest.post(text, to: path, key: key).records.first?[.timestamp]
            return time.map { ($0.reduce(Int64(0)) { $0 << 8 | Int64($1) } + EventRecord.epochOffset) / 1_000_000 }
        }
        let isHalf = sentAt.hasSuffix(".5")
        let corrected: Int64 = isHalf ? 1_699_999_999 : 1_700_000_000
        #expect(try seconds(event, "/api/7/store/") == corrected)
        #expect(try seconds("{}\n{\"type\":\"event\"}\n\(event)", "/api/7/envelope/") == corrected)
        let header = #"{"sent_at":"2023-11-14T22:13:20Z"}"#
        let early = #"{"message":"m","timestamp":1699990000}"#
        #expect(try seconds("\(header)\n{\"type\":\"event\"}\n\(early)", "/api/7/envelope/") == 1_699_990_000)
    }

    @Test("blanks around an equals sign part no key from its name")
    func blanks() throws {
        for field in ["sentry_key = K", "sentry_key =K", "sentry_key= K", "sentry_version=7 sentry_key = K , a=b"] {
            let key = "Sentry " + field.replacing("K", with: Edge.keyText)
            #expect(try FieldRequest.post(Edge.validEvent, to: "/api/7/store/", key: key).status == 200, "\(field)")
            #expect(try FieldRequest.post(Edge.validEvent, to: "/api/v1/events", key: key).status == 202, "\(field)")
        }
    }

    @Test(
        "a DSN in an envelope's header may have a slash or a query behind the project",
        arguments: ["7", "7/", "7//", "7?a=b", "7/?a=http://h/8", "7#x"])
    func projects(project: String) throws {
        let header = #"{"dsn":"http://\#(Edge.keyText)@host/\#(project)"}"#
        let end = try FieldRequest.post("\(header)\n{\"type\":\"event\"}\n{}", to: "/api/7/envelope/", key: nil)
        #expect(end.status == 200 && end.identifiers == [1])
    }
}
