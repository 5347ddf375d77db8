import StorageChannel
import Testing

@testable import Ingestion

@Suite struct TagObjectTests {
    /// The column of a native event with these tags.
    private func column(_ tags: String) throws -> String? {
        var parser = EventParser()
        let event = try parser.parsed(#"{"message":"m","level":"info","tags":\#(tags)}"#)
        #expect(event.text(.payload)?.contains(tags) == true)
        return event.text(.tags).map { String($0.dropFirst()) }
    }

    private func object(_ count: Int, _ value: String = "1") -> String {
        "{" + (0..<count).map { #""\#($0)":\#(value)"# }.joined(separator: ",") + "}"
    }

    @Test("tags within the bounds are kept as they were sent, white space and repeated names as well")
    func within() throws {
        for tags in [object(256), #"{ "a" : [1, {"b":[]}] , "a":"\u00e9" }"#, "{}"] {
            #expect(try column(tags) == tags)
        }
    }

    @Test("of 257 values the first 256 are kept", arguments: ["1", #""\n""#, "null", "{}", "[]"])
    func values(value: String) throws {
        #expect(try column(object(257, value)) == object(256, value))
    }

    @Test("what is in a tag counts, at any level, and a tag that is too much makes room for those behind it")
    func nested() throws {
        let inner = [object(255), object(256), "[" + Array(repeating: "1", count: 256).joined(separator: ",") + "]"]
        #expect(try column(#"{"a":\#(inner[0])}"#) == #"{"a":\#(inner[0])}"#)
        for tooMuch in inner[1...] { #expect(try column(#"{"a":\#(tooMuch),"b":[[],{}]}"#) == #"{"b":[[],{}]}"#) }
        let deep = String(repeating: "[[],", count: 60) + "[]" + String(repeating: "]", count: 60)
        // 121 values each.
        #expect(try column(#"{"a":\#(deep),"b":\#(deep),"c":\#(deep)}"#) == #"{"a":\#(deep),"b":\#(deep)}"#)
        #expect(try column(#"{"a":\#(object(300))}"#) == nil)
    }

    @Test("128 KiB are kept, and not a byte more")
    func bytes() throws {
        // A quote in it must be counted as it stands.
        let text = String(repeating: #"\""#, count: 60_000)
        func padded(_ size: Int) -> String {
            #"{"a":"\#(text)","b":""# + String(repeating: "x", count: size - text.utf8.count - 15) + #""}"#
        }
        let longest = padded(128 << 10)
        #expect(longest.utf8.count == 128 << 10)
        #expect(try column(longest) == longest)
        #expect(try column(padded((128 << 10) + 1)) == #"{"a":"\#(text)"}"#)
        #expect(try column(#"{"a":"\#(String(repeating: "x", count: 140_000))","b":1}"#) == #"{"b":1}"#)
    }
}
