import StorageChannel
import Testing

@testable import Ingestion

@Suite struct SentryTagsTests {
    private static let longest = String(repeating: "é", count: 200)

    private static let cases: [(String, String?)] = [
        (#"{"a":"1","b":2,"c":true,"d":null,"e":-1.5e3}"#, #"{"a":"1","b":2,"c":true,"d":null,"e":-1.5e3}"#),
        (#"[["a","1"],["b",2],["c",true],["d",null],[5,6]]"#, #"{"a":"1","b":2,"c":true,"d":null,"5":6}"#),
        (#" { "a" : "1" , "b" : "" } "#, #"{"a":"1","b":""}"#),
        (#"{"a\"\u00e9":"\ud83d\ude00\n","b":"\u0000"}"#, #"{"a\"\u00e9":"\ud83d\ude00","b":"\ufffd"}"#),
        // White space around a value, which may be escaped.
        (
            #"{"a":" x ","b":"\n x\\n\t","c":" ","d":"\u0020\u00a0x y\u3000\u0085","e":"\u2029"}"#,
            #"{"a":"x","b":"x\\n","c":"","d":"x y","e":""}"#
        ),
        (
            "[[\"a\",\"\u{a0}\u{3000}é\u{2028}\"],[\"b\",\"\u{85}\\u0021 \"],[\"c\",\"\u{200b}\"]]",
            "{\"a\":\"é\",\"b\":\"\\u0021\",\"c\":\"\u{200b}\"}"
        ),
        // What has no name, and what is no single value.
        (#"{"":"x","a":[1],"b":{"c":1},"d":1}"#, #"{"d":1}"#),
        (#"[["",1],[null,1],[true,1],[[],1],["a"],["b",1,2],[],"c",{"d":1},null,["e",[]],["f",1]]"#, #"{"f":1}"#),
        // What is too long, in characters and not in bytes.
        (#"{"\#(longest)":1,"v":"\#(longest)"}"#, #"{"\#(longest)":1,"v":"\#(longest)"}"#),
        (#"{"\#(longest)x":1,"v":"  \#(longest)x","w":1}"#, #"{"\#(longest)":1,"v":"\#(longest)","w":1}"#),
        (
            #"{"v":"\#(String(repeating: #"\u00e9"#, count: 200))"}"#,
            #"{"v":"\#(String(repeating: #"\u00e9"#, count: 200))"}"#
        ),
        (
            #"{"v":"\#(String(repeating: #"\ud83d\ude00"#, count: 201))","w":"\#(String(repeating: #"\\"#, count: 201))"}"#,
            #"{"v":"\#(String(repeating: #"\ud83d\ude00"#, count: 200))","w":"\#(String(repeating: #"\\"#, count: 200))"}"#
        ),
        (
            #"{"v":1\#(String(repeating: "0", count: 200)),"w":1\#(String(repeating: "0", count: 199))}"#,
            #"{"w":1\#(String(repeating: "0", count: 199))}"#
        ),
        // No number of these is one for PostgreSQL.
        (#"{"a":1e400000,"b":2,"c":"3"}"#, #"{"c":"3"}"#),
        (#"[["a",1e400000],["c","3"]]"#, #"{"c":"3"}"#),
        ("{}", nil), ("[]", nil), ("null", nil), ("1", nil), (#""a""#, nil), (#"{"a":[]}"#, nil),
    ]

    @Test(
        "tags are an object of single values, whatever they come as; what is no tag is left out, what is too long is cut",
        arguments: cases)
    func tags(sent: String, kept: String?) throws {
        var parser = EventParser()
        let event = try parser.parsed(#"{"tags":\#(sent)}"#, as: .sentry(id: nil, sentAt: nil))
        #expect(event.text(.tags) == kept.map { "\u{1}" + $0 })
    }

    @Test("of an event that is full of tags the first 256 are kept, and all of it in the payload")
    func many() throws {
        var parser = EventParser()
        for pair in [#"["\n",1]"#, "[1,2]", #"["a","\u0000"]"#] {
            let count = 1_000_000 / (pair.utf8.count + 1)
            let list = Array(repeating: pair, count: count).joined(separator: ",")
            let event = try parser.parsed(#"{"tags":[\#(list)]}"#, as: .sentry(id: nil, sentAt: nil))
            #expect(event.text(.tags)?.split(separator: ",").count == 256)
            #expect(event.text(.tags)?.last == "}")
            #expect(event[.payload]?.count ?? 0 > 900_000)
        }
    }
}
