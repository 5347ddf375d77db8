import Testing

@testable import mesher

struct EventLineTests {
    private static func event(_ text: String) -> String? {
        (try? EventLine.event(of: Array(text.utf8))).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("an event with an id stays as it is, and one without gets one in front")
    func identifiers() throws {
        for text in [#"{"event_id":"a"}"#, #" { "a":[{"b":"}"}], "event_id" : null } "#] {
            #expect(Self.event(text) == text)
        }
        for (text, rest) in [
            (#"{"a":1}"#, #","a":1}"#), ("{}", "}"), (" { } ", " } "),
            (#"{"a":"event_id"}"#, #","a":"event_id"}"#), (#"{"a":{"event_id":"b"}}"#, #","a":{"event_id":"b"}}"#),
            (#"{"a":"\"event_id\":"}"#, #","a":"\"event_id\":"}"#),
        ] {
            let event = try #require(Self.event(text))
            let start = text.hasPrefix(" ") ? " {" : "{"
            #expect(event.hasPrefix(start + #""event_id":""#) && event.hasSuffix(#"""# + rest))
            #expect(event.utf8.count == start.utf8.count + 45 + rest.utf8.count, "\(event)")
        }
    }

    @Test(
        "what is no object is refused",
        arguments: ["", " ", "[]", "1", "\"a\"", "{", "}", "{]", "{}{}", "{} x", "{\"a", "{\"a\\\"}", "{[}]", "x{}"])
    func noObject(text: String) {
        #expect(throws: EventLine.Fault.notAnObject) { try EventLine.event(of: Array(text.utf8)) }
    }

    @Test("bytes that are no UTF-8, and too many, are refused")
    func bytes() {
        #expect(throws: EventLine.Fault.notUTF8) { try EventLine.event(of: [0x7B, 0x22, 0xFF, 0x22, 0x7D]) }
        let long = [UInt8](repeating: 0x20, count: EventLine.limit + 1)
        #expect(throws: EventLine.Fault.tooLong) { try EventLine.event(of: long) }
    }
}
