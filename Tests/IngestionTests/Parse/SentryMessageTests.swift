import StorageChannel
import Testing

@testable import Ingestion

@Suite struct SentryMessageTests {
    private func message(of fields: String) throws -> String? {
        var parser = EventParser()
        return try parser.parsed("{\(fields)}", as: .sentry(id: nil, sentAt: nil)).text(.message)
    }

    @Test(
        "the message is the first text in the order of its sources",
        arguments: [
            (#""logentry":{"formatted":"f","message":"m"},"message":"x""#, "f"),
            (#""message":"x","logentry":{"message":"m","formatted":""}"#, "m"),
            (#""message":"x","logentry":{"formatted":""}"#, "x"), (#""message":"x","logentry":{}"#, "x"),
            (#""message":"x","logentry":null"#, "x"), (#""message":"x","logentry":"l""#, "l"),
            (#""message":"x","sentry.interfaces.Message":{"message":"i %s","params":["p"]}"#, "i p"),
            (#""message":"x","sentry.interfaces.Message":{"message":""}"#, "x"),
            (#""logentry":{"message":"m"},"sentry.interfaces.Message":{"message":"i"}"#, "m"),
            (#""message":{"message":"m"}"#, "m"), (#""message":{"formatted":"f\n\u00e9","message":"m"}"#, "f\né"),
            (#""exception":{"type":"T","value":"v"},"message":"x""#, "x"),
            (#""exception":{"type":"T","value":"v"},"contexts":{"feedback":{"message":"f"}}"#, "f"),
            (#""exception":{"type":"T","value":"v"},"contexts":{"feedback":{"message":""},"os":{}}"#, "T: v"),
            (#""sentry.interfaces.Exception":{"type":"T","value":"v"},"exception":null"#, "T: v"),
            (#""exception":{"type":"T","value":"v"},"sentry.interfaces.Exception":{"type":"U","value":"v"}"#, "T: v"),
            (#""contexts":{"feedback":{"message":1}}"#, "1"), (#""stacktrace":{"frames":[]}"#, "<unlabeled event>"),
        ])
    func sources(fields: String, text: String) throws {
        #expect(try message(of: fields) == text)
    }

    @Test(
        "of exceptions the last that says anything counts",
        arguments: [
            (#"{"values":[{"type":"A","value":"a"},{"type":"B","value":"b"}]}"#, "B: b"),
            (#"[{"type":"A","value":"a"},{"type":"B","value":"b"}]"#, "B: b"),
            (#"{"type":"B","value":"b\"\\"}"#, #"B: b"\"#), (#"{"type":"B"}"#, "B"), (#"{"value":"b"}"#, "b"),
            (#"{"type":"B","value":""}"#, "B"), (#"{"type":"","value":"b"}"#, "b"),
            (#"{"type":"B","value":null}"#, "B"),
            (#"{"type":null,"value":{"a": [1]}}"#, #"{"a":[1]}"#), (#"{"type":"B","value":true}"#, "B: true"),
            (#"{"type":7,"value":8}"#, "7: 8"), (#"{"values":[{"type":"A"},{},null,[],"x",{"module":"m"}]}"#, "A"),
            (#"{"values":[]}"#, "<unlabeled event>"), ("[]", "<unlabeled event>"), ("{}", "<unlabeled event>"),
            (#"{"values":null,"type":"A"}"#, "A"), (#"{"values":{"type":"A"}}"#, "<unlabeled event>"),
            (#"{"type":"A","value":"a","type":"B"}"#, "B: a"),
            (
                #"{"values":[{"stacktrace":{"frames":[{"vars":{"type":"x","value":"y"}}]},"type":"A","value":"}],"}]}"#,
                "A: }],"
            ),
        ])
    func exceptions(exception: String, text: String) throws {
        #expect(try message(of: #""exception":\#(exception)"#) == text)
    }

    private static let templates: [(String, String, String)] = [
        ("%s is %d", #"["a",1]"#, "a is 1"), ("%s", #"["a\n\u00e9"]"#, "a\né"), ("%s", "[null]", "null"),
        ("%-5.2f|%05d|%+d|%#x", "[1.5,2,3,4]", "1.5|2|3|4"), ("%ld|%lld|%hd|%zu|%l", "[1,2,3,4,5]", "1|2|3|4|5"),
        ("%*d %l %d", "[1,2,3]", "1 2 3"), ("%s", #"[["a", {"b": "\u00e9"}]]"#, #"["a",{"b":"é"}]"#),
        ("%@ %v", #"["a","b"]"#, "a b"),
        ("%(a)s and %(b)d", #"{"b":2,"a":"x"}"#, "x and 2"), ("%2$s %1$s", #"["a","b"]"#, "b a"),
        ("%d%%", "[5]", "5%"), ("50% of %s", #"["a"]"#, "50% of a"), ("%s %s", #"["a"]"#, "a %s"),
        ("%(a)s", #"["a"]"#, "%(a)s"), ("%(c)s %(a)s", #"{"a":1}"#, "%(c)s 1"), ("%0$s %9$s", #"["a"]"#, "%0$s %9$s"),
        ("%s", #"[{"a":[1]}]"#, #"{"a":[1]}"#), ("{} %s", #"["a"]"#, "{} a"), ("100%", #"["a"]"#, "100%"),
        ("%", #"["a"]"#, "%"), ("%5", #"["a"]"#, "%5"), ("%(", #"["a"]"#, "%("), ("%(a)", #"["a"]"#, "%(a)"),
        ("{} is {}", #"["a",1]"#, "a is 1"), ("{1} {0}", #"["a","b"]"#, "b a"), ("{a} {b}", #"{"b":2,"a":"x"}"#, "x 2"),
        ("{0:yyyy-MM} {a}", #"["a"]"#, "a {a}"), ("{{{0}}} {{}}", #"["a"]"#, "{a} {}"), ("{} {}", #"["a"]"#, "a {}"),
        ("{9} {", #"["a"]"#, "{9} {"), ("{ x } {}", #"["a"]"#, "{ x } a"), ("50% of {}", #"["a"]"#, "50% of a"),
        ("{a", #"["a"]"#, "{a"), ("}", #"["a"]"#, "}"), ("{a:{}", #"["b"]"#, "{a:b"),
        ("{99999999999}", #"["a"]"#, "{99999999999}"),
        ("no place", #"["a"]"#, "no place"), ("100%% {{}}", #"["a"]"#, "100%% {{}}"), ("%s {}", "[]", "%s {}"),
        ("%s", #""a""#, "%s"), ("%s", "null", "%s"), ("%s", #"[""]"#, "%s"),
    ]

    @Test("parameters are put into a message in the form that it has; what has none stays", arguments: templates)
    func parameters(template: String, parameters: String, text: String) throws {
        #expect(try message(of: #""logentry":{"message":"\#(template)","params":\#(parameters)}"#) == text)
        #expect(try message(of: #""logentry":{"params":\#(parameters),"message":"\#(template)"}"#) == text)
    }

    @Test(
        "a message that is no text is shown as JSON, without the spaces and escapes that it need not have",
        arguments: [
            (#"["a","b"]"#, #"["a","b"]"#), (#"[ "a" ,  "b c" ]"#, #"["a","b c"]"#), ("[]", "[]"),
            ("[null]", "[null]"),
            (#"[{"a": 1.50, "b": []}]"#, #"[{"a":1.50,"b":[]}]"#), ("true", "true"), ("false", "<unlabeled event>"),
            ("42", "42"),
            ("-1.5e3", "-1.5e3"), ("{}", "<unlabeled event>"), (#"{"a":1}"#, "<unlabeled event>"),
            ("null", "<unlabeled event>"),
            (#"["\u00e9\ud83d\ude00\/", "\n\u000a\u0022\u005c\"\\ "]"#, #"["é😀/","\n\u000a\u0022\u005c\"\\ "]"#),
            (#"["\u0000\ud83d"]"#, "[\"\u{fffd}\u{fffd}\"]"),
            (#"["\uDBFF\uDFFF\uD7FF\ue000"]"#, "[\"\u{10ffff}\u{d7ff}\u{e000}\"]"),
        ])
    func otherTypes(sent: String, text: String) throws {
        for field in ["message", "logentry", "sentry.interfaces.Message"] {
            #expect(try message(of: #""\#(field)":\#(sent)"#) == text)
        }
    }

    @Test("a message of another type is cut as any other")
    func longList() throws {
        let text = try message(
            of: #""message":[\#(Array(repeating: #""\u00e9""#, count: 100_000).joined(separator: ", "))]"#)
        #expect(text == String(("[" + String(repeating: #""é","#, count: 2_048)).prefix(8_192)))
    }

    @Test("a message cannot be made longer than its column, nor the work on it longer than its text")
    func amplification() throws {
        let long = String(repeating: "x", count: 100_000)
        for template in [String(repeating: "{0}", count: 100_000), String(repeating: "%1$s", count: 100_000)] {
            let text = try message(of: #""logentry":{"message":"\#(template)","params":["\#(long)"]}"#)
            #expect(text == String(repeating: "x", count: 8_192))
        }
        for opener in ["%(", "{", "%1", "{a:", "%", "{{", "%%", "}}"] {
            let template = String(repeating: opener, count: 250_000)
            let text = try message(of: #""logentry":{"message":"\#(template)","params":["a","b"]}"#)
            #expect(text?.count == 8_192)
        }
    }
}
