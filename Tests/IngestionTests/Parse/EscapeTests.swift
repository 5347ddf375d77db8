import StorageChannel
import Testing

@testable import Ingestion

/// Escapes that stand for what PostgreSQL takes in no text, and those that only look like it.
@Suite struct EscapeTests {
    @Test(
        "NUL and lone surrogates become U+FFFD, in the payload and in the column",
        arguments: [
            (#"\u0000"#, #"\ufffd"#, "\u{FFFD}"),
            (#"a\u0000b\u0000"#, #"a\ufffdb\ufffd"#, "a\u{FFFD}b\u{FFFD}"),
            (#"\ud800"#, #"\ufffd"#, "\u{FFFD}"),
            (#"\uDBFFx"#, #"\ufffdx"#, "\u{FFFD}x"),
            (#"\udc00"#, #"\ufffd"#, "\u{FFFD}"),
            (#"\ud83d\ud83d\ude00"#, #"\ufffd\ud83d\ude00"#, "\u{FFFD}😀"),
            (#"\ude00\ud83d"#, #"\ufffd\ufffd"#, "\u{FFFD}\u{FFFD}"),
            (#"\ud83d\u0041"#, #"\ufffd\u0041"#, "\u{FFFD}A"),
            (#"\ud83d\u0000"#, #"\ufffd\ufffd"#, "\u{FFFD}\u{FFFD}"),
            (#"\ud83d\\ude00"#, #"\ufffd\\ude00"#, "\u{FFFD}\\ude00"),
            (#"\ud83d\n"#, #"\ufffd\n"#, "\u{FFFD}\n"),
            (#"\\\u0000"#, #"\\\ufffd"#, "\\\u{FFFD}"),
        ])
    func replaced(sent: String, kept: String, column: String) throws {
        var parser = EventParser()
        let event = try parser.parsed(#"{"message":"\#(sent)","level":"info"}"#)
        #expect(event.text(.message) == column)
        #expect(event.text(.payload) == #"{"message":"\#(kept)","level":"info"}"#)
    }

    @Test(
        "an escaped backslash before u0000, a pair of surrogates and other escapes stay as sent",
        arguments: [
            (#"\\u0000"#, "\\u0000"),
            (#"\\\\u0000"#, "\\\\u0000"),
            (#"\\ud800"#, "\\ud800"),
            (#"\ud83d\ude00"#, "😀"),
            (#"\uD83D\uDE00\uDBFF\uDFFF"#, "😀\u{10FFFF}"),
            (#"\ud800\udc00"#, "\u{10000}"),
            (#"\u0001\u007f\u0080\u07ff\u0800\uffff"#, "\u{1}\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}"),
            (#"\/\"\b\f\n\r\t"#, "/\"\u{8}\u{C}\n\r\t"),
        ])
    func kept(sent: String, column: String) throws {
        var parser = EventParser()
        let text = #"{"message":"\#(sent)","level":"info"}"#
        let event = try parser.parsed(text)
        #expect(event.text(.message) == column)
        #expect(event.text(.payload) == text)
    }

    @Test("escapes are replaced in keys, in nested values and in tags")
    func everywhere() throws {
        var parser = EventParser()
        let event = try parser.parsed(
            #"{"message":"m","level":"info","a\u0000":[{"\ud800":"\udfff"}],"tags":{"\u0000":"\ud800"}}"#)
        #expect(
            event.text(.payload)
                == #"{"message":"m","level":"info","a\ufffd":[{"\ufffd":"\ufffd"}],"tags":{"\ufffd":"\ufffd"}}"#)
        #expect(event.text(.tags) == "\u{1}" + #"{"\ufffd":"\ufffd"}"#)
    }

    @Test("a field whose name is written with escapes is known")
    func escapedNames() throws {
        var parser = EventParser()
        let event = try parser.parsed(#"{"\u006dessage":"m","le\u0076el":"info","platfor\u006D" : "c\u0000"}"#)
        #expect(event.text(.message) == "m")
        #expect(event.text(.platform) == "c\u{FFFD}")
    }

    @Test("strings with escapes of a large event lie whole beside one another")
    func largeStrings() throws {
        var parser = EventParser()
        let part = String(repeating: #"x\n"#, count: 60_000)
        let resolved = String(repeating: "x\n", count: 60_000)
        for _ in 0..<2 {
            let event = try parser.parsed(
                #"{"message":"\#(part)1","level":"info","release":"\#(part)2","logger":"\#(part)3"}"#)
            #expect(event.text(.message) == resolved + "1")
            #expect(event.text(.release) == resolved + "2")
            #expect(event.text(.logger) == resolved + "3")
        }
        #expect(try parser.parsed(#"{"message":"\n","level":"info"}"#).text(.message) == "\n")
    }
}
