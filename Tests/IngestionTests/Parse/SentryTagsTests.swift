import StorageChannel
import Testing

@testable import Ingestion

@Suite struct SentryTagsTests {
    private static let longest = String(repeating: "é", count: 200)

    private static let cases: [(String, String?)] = [
        (#"{"a":"1","b":2,"c":true,"d":null,"e":-1.5e3}"#, #"{"a":"1","b":2,"c":true,"d":null,"e":-1.5e3}"#),
        (#"[["a","1"],["b",2],["c",true],["d",null],[5,6]]"#, #"{"a":"1","b":2,"c":true,"d":null,"5":6}"#),
        (#" { "a" : "1" , "b" : "" } "#, #"{"a":"1","b":""}"#),
        (#"{"a\"\u00e9":"\ud83d\ude00\n","b":"\u0000"}"#, #"{"a\"\u00e9":"\ud83d\ude00\n","b":"\ufffd"}"#),
        // What has no name, and what is no single value.
        (#"{"":"x","a":[1],"b":{"c":1},"d":1}"#, #"{"d":1}"#),
        (#"[["",1],[null,1],[true,1],[[],1],["a"],["b",1,2],[],"c",{"d":1},null,["e",[]],["f",1]]"#, #"{"f":1}"#),
        // What is too long, in characters and not in bytes.
        (#"{"\#(longest)":1,"v":"\#(longest)"}"#, #"{"\#(longest)":1,"v":"\#(longest)"}"#),
        (#"{"\#(longest)x":1,"v":"\#(longest)x","w":1}"#, #"{"w":1}"#),
        (
            #"{"v":"\#(String(repeating: #"\u00e9"#, count: 200))"}"#,
            #"{"v":"\#(String(repeating: #"\u00e9"#, count: 200))"}"#
        ),
        (#"{"v":"\#(String(repeating: #"\u00e9"#, count: 201))"}"#, nil),
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
        "tags are an object of single values, whatever they come as; what is no tag or too long is left out",
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
