import Testing

@testable import Ingestion

/// What is taken for JSON, and what refusals say of the rest.
@Suite struct JSONValidityTests {
    /// The reason why `bytes` are no JSON to us, if they aren't.
    static func fault(_ parser: inout EventParser, _ bytes: [UInt8]) -> String? {
        guard let refusal = parser.refusal(of: bytes), refusal.reason == .invalidJSON else { return nil }
        return refusal.text
    }

    /// Expects that the parser and the reference say the same of `bytes`.
    static func expectAgreement(_ parser: inout EventParser, _ bytes: [UInt8]) {
        let fault = fault(&parser, bytes)
        switch ReferenceJSON.levels(of: bytes) {
        case nil: #expect(fault != nil, "taken, but no JSON: \(show(bytes))")
        case let levels? where levels > 64: #expect(fault == "invalid JSON: nested deeper than 64 levels")
        case _?: #expect(fault == nil, "JSON: \(show(bytes))")
        }
    }

    static func show(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).debugDescription
    }

    @Test("each value of the corpus is valid or not wherever it stands, as the reference says")
    func corpusValues() {
        var parser = EventParser()
        for value in JSONCorpus.values {
            Self.expectAgreement(&parser, value)
            for (before, behind) in [
                ("[", "]"), ("[0,", ",0]"), (#"{"message":"m","level":"info","x":"#, "}"),
                (#"{"extra":{"y":[{"x":"#, "}]}}"),
                ("{", ":1}"),
            ] {
                Self.expectAgreement(&parser, JSONCorpus.around(value, before, behind))
            }
        }
    }

    @Test("each document of the corpus is valid or not, as the reference says")
    func corpusDocuments() {
        var parser = EventParser()
        for document in JSONCorpus.documents { Self.expectAgreement(&parser, document) }
    }

    @Test("a document cut short at any byte is refused, though what follows it in memory would make it whole")
    func cutShort() {
        var parser = EventParser()
        let whole = Array(JSONCorpus.whole.utf8)
        #expect(parser.refusal(of: whole) == nil)
        for size in 0..<whole.count {
            #expect(Self.fault(&parser, Array(whole[..<size])) != nil, "cut at \(size)")
        }
    }

    @Test("a document with any one bit flipped is valid or not, as the reference says")
    func flippedBits() {
        var parser = EventParser()
        let whole = Array(JSONCorpus.whole.utf8)
        for position in whole.indices {
            for bit in 0..<8 {
                var flipped = whole
                flipped[position] ^= 1 << bit
                Self.expectAgreement(&parser, flipped)
            }
        }
    }

    @Test("64 levels are taken and 65 refused, of objects, of arrays and of both", arguments: ["a", "o", "ao", "oa"])
    func depth(pattern: String) {
        var parser = EventParser()
        func event(levels: Int) -> String {
            // The event is the first of the levels.
            let kinds = (1..<levels).map { pattern[pattern.index(pattern.startIndex, offsetBy: $0 % pattern.count)] }
            let open = kinds.map { $0 == "a" ? "[" : #"{"k":"# }.joined()
            let close = kinds.reversed().map { $0 == "a" ? "]" : "}" }.joined()
            return #"{"message":"m","level":"info","x":"# + open + "1" + close + "}"
        }
        let tooDeep = Refusal(.invalidJSON, "invalid JSON: nested deeper than 64 levels")
        #expect(parser.refusal(of: event(levels: 63)) == nil)
        #expect(parser.refusal(of: event(levels: 64)) == nil)
        #expect(parser.refusal(of: event(levels: 65)) == tooDeep)
        #expect(parser.refusal(of: event(levels: 50_000)) == tooDeep)
    }

    @Test("an empty container is a level too")
    func emptyContainers() {
        var parser = EventParser()
        func event(_ innermost: String, levels: Int) -> String {
            let around = levels - 2
            return #"{"message":"m","level":"info","x":"# + String(repeating: "[", count: around) + innermost
                + String(repeating: "]", count: around) + "}"
        }
        for innermost in ["[]", "{}"] {
            #expect(parser.refusal(of: event(innermost, levels: 64)) == nil)
            #expect(parser.refusal(of: event(innermost, levels: 65))?.reason == .invalidJSON)
        }
    }

    @Test("brackets alone, a megabyte of them, are refused")
    func onlyBrackets() {
        var parser = EventParser()
        for bracket in "[{]}" {
            let refusal = parser.refusal(of: String(repeating: bracket, count: EventParser.maximumSize))
            #expect(refusal?.reason == .invalidJSON)
        }
        #expect(parser.refusal(of: #"{"message":"m","level":"info"}"#) == nil)
    }

    @Test(
        "a refusal says what is wrong and at which byte",
        arguments: [
            ("", "unexpected end at byte 0"),
            ("{", "unexpected end at byte 1"),
            (#"{"a":1"#, "unexpected end at byte 6"),
            (#"{"a":[1,{"#, "unexpected end at byte 9"),
            (#"{"a""#, "unexpected end at byte 4"),
            (#"{} {}"#, "something follows the value at byte 3"),
            (#"{}}"#, "something follows the value at byte 2"),
            (#"[] x"#, "something follows the value at byte 3"),
            (#"{"a":}"#, "expected a value at byte 5"),
            (#"{"a":NaN}"#, "expected a value at byte 5"),
            (#"{"a":'b'}"#, "expected a value at byte 5"),
            (#"{"a":[1,]}"#, "expected a value at byte 8"),
            (#"/* */ {}"#, "expected a value at byte 0"),
            (#"{"a":1,}"#, "expected a key at byte 7"),
            (#"{a:1}"#, "expected a key at byte 1"),
            (#"{"a":{1:2}}"#, "expected a key at byte 6"),
            (#"{"a" 1}"#, "expected a colon at byte 5"),
            (#"{"a":1 "b":2}"#, "expected a comma or a closing brace at byte 7"),
            (#"{"a":{"b":1]}"#, "expected a comma or a closing brace at byte 11"),
            (#"{"a":[1 2]}"#, "expected a comma or a closing bracket at byte 8"),
            (#"{"a":tru}"#, "invalid literal at byte 5"),
            (#"{"a":nullx}"#, "invalid literal at byte 5"),
            (#"{"a":01}"#, "invalid number at byte 5"),
            (#"{"a":-}"#, "invalid number at byte 5"),
            (#"{"a":1.}"#, "invalid number at byte 5"),
            (#"{"a":"\x"}"#, "invalid escape at byte 6"),
            (#"{"a":"\u12g4"}"#, "invalid escape at byte 6"),
            ("{\"a\":\"b\nc\"}", "control character in a string at byte 7"),
            (#"{"a":"b}"#, "unclosed string at byte 5"),
            ("\u{FEFF}{}", "byte order mark at byte 0"),
        ])
    func texts(text: String, error: String) {
        var parser = EventParser()
        #expect(parser.refusal(of: text) == Refusal(.invalidJSON, "invalid JSON: " + error))
    }

    @Test("invalid UTF-8 is refused with its place, in a string, between values, and behind an escape")
    func invalidUTF8() {
        var parser = EventParser()
        let error = "invalid JSON: invalid UTF-8 at byte "
        let open = Array(#"{"a":""#.utf8)
        let close = Array(#""}"#.utf8)
        #expect(Self.fault(&parser, open + [0xC0, 0x80] + close) == error + "6")
        #expect(Self.fault(&parser, open + Array(#"é\""#.utf8) + [0xED, 0xA0, 0x80] + close) == error + "10")
        #expect(Self.fault(&parser, Array("{".utf8) + [0xFF] + Array("}".utf8)) == error + "1")
        #expect(Self.fault(&parser, open + [0xF0, 0x9F, 0x98]) == error + "6")
    }
}
