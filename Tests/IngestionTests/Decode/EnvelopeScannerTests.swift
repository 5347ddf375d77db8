import Testing

@testable import Ingestion

struct EnvelopeScannerTests {
    /// Scans an envelope that comes in pieces of a size.
    private func scan(
        _ bytes: [UInt8], pieces: Int = .max, wantsItems: Bool = true
    ) throws -> (envelope: Envelope, payloads: [String]) {
        var scanner = EnvelopeScanner()
        scanner.begin(wantsItems: wantsItems)
        var rest = bytes[...]
        while !rest.isEmpty {
            guard try rest.prefix(pieces).withUnsafeBytes({ try scanner.scan($0) }) else { break }
            rest = rest.dropFirst(min(pieces, rest.count))
        }
        let envelope = try scanner.finish()
        return (envelope, envelope.items.map { String(decoding: envelope.kept[$0.range], as: UTF8.self) })
    }

    private func scan(_ text: String, pieces: Int = .max, wantsItems: Bool = true) throws -> (
        envelope: Envelope, payloads: [String]
    ) {
        try scan(Array(text.utf8), pieces: pieces, wantsItems: wantsItems)
    }

    /// Why an envelope is refused; nil when it is taken.
    private func refusal(_ text: String) throws -> Refusal? {
        do {
            _ = try scan(text)
            return nil
        } catch let refusal as Refusal {
            return refusal
        }
    }

    private static func invalid(_ fault: String) -> Refusal {
        Refusal(.invalidEnvelope, "invalid envelope: \(fault)")
    }

    private static let id: UInt128 = 0x9ec7_9c33_ec99_42ab_8353_589f_cb2e_04dc
    private static let header = #"{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc"}"#

    @Test("an item ends where its length says, or else with the line, wherever the pieces end", arguments: 1...40)
    func items(pieces: Int) throws {
        let text =
            Self.header + "\n" + #"{"type":"event","length":12}"# + "\n{\"a\":\n\"b\\n\"}\n"
            + #"{"type":"attachment","length":5}"# + "\n\0\n{}\n\n" + #"{"type":"user_report"}"# + "\n{\"x\":1}\r\n"
            + #"{"type":"session"}"# + "\n{}"
        let (envelope, payloads) = try scan(text, pieces: pieces)
        #expect(envelope.eventID == Self.id)
        #expect(envelope.items.map(\.kind) == [.event, .userReport])
        #expect(payloads == ["{\"a\":\n\"b\\n\"}", "{\"x\":1}\r"])
        #expect(envelope.unsupported == 2)
        #expect(envelope.surplus == 0)
    }

    @Test(
        "headers, payloads and newlines may be missing where nothing follows",
        arguments: [
            "{}", "{}\n", "{}\n\n\n", Self.header, Self.header + "\n" + #"{"type":"event","length":2}"# + "\n{}",
            Self.header + "\n" + #"{"type":"event","length":2}"# + "\n{}\n", Self.header + "\n" + #"{"type":"event"}"#,
            Self.header + "\n" + #"{"type":"event"}"# + "\n",
            Self.header + "\n" + #"{"type":"event","length":0}"# + "\n",
            Self.header + "\n" + #"{"type":"event","length":0}"# + "\n\n",
            Self.header + "\n" + #"{"type":"event","length":null}"# + "\n{}",
            "{}\n{\"type\":\"x\"}\n{}\n{\"type\":\"x\"}\nanything",
        ])
    func endings(text: String) throws {
        let envelope = try scan(text).envelope
        #expect(envelope.items.count == (text.contains("event\"") ? 1 : 0))
    }

    @Test(
        "what is no envelope is refused, with what is wrong",
        arguments: [
            ("", "its header is no JSON object"), ("\n", "its header is no JSON object"),
            ("[]\n", "its header is no JSON object"), ("{}x\n", "its header is no JSON object"),
            ("{\"dsn\"\n", "its header is no JSON object"), ("{}\nx\n", "an item's header is no JSON object"),
            ("{}\n{\"type\":\"event\",\"length\":-1}\n", "an item's length is no whole number"),
            ("{}\n{\"type\":\"event\",\"length\":\"1\"}\n", "an item's length is no whole number"),
            ("{}\n{\"type\":\"event\",\"length\":1e3}\n", "an item's length is no whole number"),
            ("{}\n{\"type\":\"event\",\"length\":99999999999999999999}\n", "an item's length is no whole number"),
            ("{}\n{\"type\":\"event\",\"length\":3}\n{}", "an item is shorter than its length"),
            ("{}\n{\"type\":\"event\",\"length\":2}\n{}\r\r\n", "no newline after an item's payload"),
            ("{}\n{}\n", "an item's header has no type"), ("{}\n{\"type\":7}\n", "an item's header has no type"),
            ("{}\n{\"type\":\"event\",\"length\":2}\n{}{\"type\":\"event\"}\n{}", "no newline after an item's payload"),
        ])
    func refusals(text: String, fault: String) throws {
        #expect(try refusal(text) == Self.invalid(fault))
    }

    @Test("the header names id, time of sending and DSN, with escapes as some programs write them")
    func headerFields() throws {
        let text = #"""
            {"event_id":"9EC79C33-EC99-42ab-8353-589fcb2e04dc","sent_at":"2026-11-24T00:00:00.5Z","unknown":[{"a":{}}],
            """#.replacing("\n", with: "")
            + #""dsn":"https:\/\/0123456789abcdef0123456789abcdef:secret@any.example:8000\/a\/path\/42"}"#
        let envelope = try scan(text).envelope
        #expect(envelope.eventID == Self.id)
        #expect(envelope.sentAt == 1_795_478_400_500_000)
        #expect(envelope.credential == .key(Edge.key))
        #expect(envelope.project == .number(42))
    }

    @Test(
        "a header's fields of another form count as absent, but for a DSN without a key",
        arguments: [#"{"event_id":7,"sent_at":true,"dsn":null}"#, #"{"event_id":"x","sent_at":"noon"}"#])
    func oddHeaders(text: String) throws {
        let envelope = try scan(text).envelope
        #expect(envelope.eventID == nil && envelope.sentAt == nil && envelope.credential == .absent)
        #expect(try scan(#"{"dsn":"http://host/1"}"#).envelope.credential == .malformed)
    }

    @Test("the header alone is read when no more is wanted, and what follows is not looked at")
    func headerOnly() throws {
        let envelope = try scan(Self.header + "\nnot an item", wantsItems: false).envelope
        #expect(envelope.eventID == Self.id)
        #expect(envelope.items.isEmpty)
    }

    @Test("of several events the first is kept, and the others are counted")
    func surplus() throws {
        let item = #"{"type":"event"}"# + "\n{\"n\":1}\n"
        let (envelope, payloads) = try scan(
            "{}\n" + item + item + #"{"type":"feedback"}"# + "\n{}\n" + #"{"type":"user_report"}"# + "\n{}\n"
                + #"{"type":"user_report"}"# + "\n{}\n")
        #expect(payloads == ["{\"n\":1}", "{}"])
        #expect(envelope.surplus == 3)
    }

    @Test("what a client says it dropped is counted by reason; a report that makes no sense is not")
    func clientReports() throws {
        let report =
            #"{"timestamp":1,"discarded_events":[{"reason":"queue_overflow","category":"error","quantity":23},"#
            + #"{"reason":"made up","quantity":2},{"reason":"sample_rate","quantity":-1},7]}"#
        let item = #"{"type":"client_report"}"#
        let envelope = try scan("{}\n\(item)\n\(report)\n\(item)\n{\n\(item)\n\(report)").envelope
        #expect(envelope.discards.count(of: "queue_overflow") == 46)
        #expect(envelope.discards.count(of: "other") == 4)
        #expect(envelope.discards.count(of: "sample_rate") == 0)
        #expect(envelope.unsupported == 3)
        #expect(envelope.kept.isEmpty)
    }

    @Test("an event over 1 MiB is refused, and an attachment of any size is read past")
    func sizes() throws {
        let attachment = #"{"type":"attachment","length":3000000}"# + "\n" + String(repeating: "x", count: 3_000_000)
        let event = String(repeating: " ", count: Limits.eventBytes - 2) + "{}"
        let (envelope, payloads) = try scan("{}\n\(attachment)\n{\"type\":\"event\"}\n\(event)", pieces: 65_536)
        #expect(payloads.map(\.utf8.count) == [Limits.eventBytes])
        #expect(envelope.unsupported == 1)
        let tooLarge = Refusal(.payloadTooLarge, "payload too large")
        #expect(try refusal("{}\n{\"type\":\"event\"}\n \(event)") == tooLarge)
        #expect(try refusal("{}\n{\"type\":\"event\",\"length\":1048577}\n \(event)") == tooLarge)
    }

    @Test("endless headers and items are refused before they cost much")
    func bounds() throws {
        let long = String(repeating: " ", count: EnvelopeScanner.headerLimit)
        #expect(try refusal(long + "{}") == Self.invalid("a header is longer than 64 KiB"))
        #expect(try refusal("{}\n" + long + "{}") == Self.invalid("a header is longer than 64 KiB"))
        func items(_ text: String) -> String { String(repeating: text, count: EnvelopeScanner.itemLimit) }
        #expect(try refusal("{}\n\n" + items("\n")) == Self.invalid("more than 10000 items"))
        #expect(try refusal("{}\n" + items("{\"type\":\"x\"}\n\n")) == nil)
    }

    @Test("a scanner that refused an envelope reads the next one")
    func reuse() throws {
        var scanner = EnvelopeScanner()
        for _ in 0..<3 {
            scanner.begin(wantsItems: true)
            do {
                _ = try Array("{}\n{\"type\":\"event\"}\nab\nc\n".utf8).withUnsafeBytes { try scanner.scan($0) }
                Issue.record("it is taken")
            } catch {}
            scanner.begin(wantsItems: true)
            _ = try Array((Self.header + "\n{\"type\":\"event\"}\n{}").utf8).withUnsafeBytes { try scanner.scan($0) }
            let envelope = try scanner.finish()
            #expect(envelope.kept == Array("{}".utf8))
        }
    }
}
