/// Texts that have been trouble to JSON parsers. Which of them are JSON is for the tests' oracles to say.
enum JSONCorpus {
    /// A document with every kind of value and of escape in it.
    static let whole =
        #"{"message":"a\"b\\c\/d\b\f\n\r\té\u00e9\ud83d\ude00","level":"info","tags":{"t":[1,-2.5e+3,0]},"x":[true,false,"#
        + #"null,{},[],{"y":[[]]}],"extra":{"":0.1E-2}}"#

    /// Values that stand alone, in an array, as a field's value, and as an event's tag.
    static let values: [[UInt8]] = texts.map { Array($0.utf8) } + raw

    /// A value between what stands before and behind it.
    static func around(_ value: [UInt8], _ before: String, _ behind: String) -> [UInt8] {
        Array(before.utf8) + value + Array(behind.utf8)
    }

    /// Whole documents.
    static let documents: [[UInt8]] =
        objects.map { Array($0.utf8) }
        + [
            [0xEF, 0xBB, 0xBF] + Array(#"{"message":"m","level":"info"}"#.utf8),
            Array(#"{"message":"m","level":"info"}"#.utf8) + [0],
            [0] + Array(#"{"message":"m","level":"info"}"#.utf8),
            [0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00],
        ]

    private static let texts: [String] = [
        "0", "-0", "0.0", "1", "-1", "10", "0.1", "1e5", "1E5", "1e+5", "1e-5", "1.5e05", "0e0", "-0e-0",
        "00", "01", "-01", "-", "+1", ".5", "1.", "1.e5", "1e", "1e+", "1ee5", "--1", "1-", "0x10", "1_000", "1a",
        "1\"",
        "1 2", "1,2", "0.1.2", "1e5.5", "- 1", "１",
        "12345678901234567890123456789012345678901234567890", "-9223372036854775809", "18446744073709551616",
        "1e400", "-1e400", "1e-400", "1e400000", "1e-400000", "1e99999999999999999999", "0e99999999999999999999",
        String(repeating: "9", count: 400), "0." + String(repeating: "3", count: 400),
        "true", "false", "null", "True", "TRUE", "tru", "truee", "true1", "true\"x\"", "nul", "nulll", "fals", "falsey",
        "NaN", "nan", "Infinity", "-Infinity", "undefined", "None",
        "\"\"", "\"a\"", "'a'", "a", "`a`", "\"a", "a\"", "\"a\"b", "\"a\"\"b\"", "\"a\" \"b\"",
        #""\"""#, #""\\""#, #""\\\""#, #""\/""#, #""\b\f\n\r\t""#, #""\a""#, #""\'""#, #""\x41""#, #""\0""#, #""\""#,
        #""\u""#,
        #""\u1""#, #""\u12""#, #""\u123""#, #""\u123g""#, #""\U0041""#, #""\u0041""#, #""\u 041""#, #""\u00e9\u00E9""#,
        #""\u0000""#, #""a\u0000b""#, #""\\u0000""#, #""\\\u0000""#, #""\ud800""#, #""\udc00""#, #""\ud83d\ude00""#,
        #""\ud83d\ud83d\ude00""#, #""\ude00\ud83d""#, #""\ud83dx\ude00""#, #""\ud83d\u0041""#, #""\ud83d\\ude00""#,
        #""\ud83d\""#, #""\ud83d\n""#, #""\uD83D\uDE00\u0000\uDFFF""#, #""\ud83d\u""#, #""\ud83d\ude0""#, "\\",
        "\\\"a\"", "1\\",
        "\"a\u{1F}b\"", "\"a\nb\"", "\"a\tb\"", "\"\u{7F}\"", "\"\u{85}\u{2028}\u{FEFF}\"", "\"\u{10FFFF}\u{FFFF}\"",
        "{}", "[]", "{ }", "[ ]", "[\n]", "[[]]", "[{}]", "{\"a\":{}}", "[1]", "[1,2]", "[1,]", "[,1]", "[,]", "[1,,2]",
        "[1 2]", "[1:2]", "[\"a\":1]", "[1", "1]", "[1}", "{1]", "[[1]", "[1]]", "{]", "[}", "{", "}", "[", "]", ",",
        ":",
        "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{,\"a\":1}", "{\"a\" 1}", "{\"a\"::1}", "{\"a\":1 \"b\":2}",
        "{\"a\":1,,\"b\":2}", "{\"a\":1:2}", "{a:1}", "{'a':1}", "{1:1}", "{null:1}", "{[]:1}", "{\"a\":1,\"a\":2}",
        "{\"a\":1,1}", "{:1}", "{\"a\",\"b\"}", "{\"a\":{\"b\":1}", "{\"a\":[1}", "{\"a\":[1}]", "{\"\\u0000\":1}",
        "/* c */ 1", "1 // c", "[1,/**/2]", "# c", "", " ", "\n", "\u{A0}1", "\u{FEFF}1", "\u{C}1", "1\u{C}",
        "[1\u{C}2]",
        "[1\u{1A}2]", "{\"a\"\u{1A}1}", "\u{B}1", " 1 ", "\r\n1\r\n", "\t[\t]\t",
    ]

    /// What no Swift string can hold.
    private static let raw: [[UInt8]] =
        [
            // A lone continuation, a lone start, cut sequences.
            [0x80], [0xBF], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xC3, 0x28], [0xE2, 0x28, 0xA1],
            [0xE2, 0x82, 0x28],
            [0xF0, 0x28, 0x8C, 0xBC], [0xF0, 0x9F, 0x98, 0x80, 0x80],
            // Longer than need be.
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xF0, 0x80, 0x80, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF],
            // Surrogates, and beyond Unicode.
            [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xED, 0x9F, 0xBF], [0xEE, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ].flatMap { [$0, [0x22] + $0 + [0x22], [0x22, 0x61] + $0] } + [
            [0x22, 0, 0x22], [0], [0x31, 0], [0x5B, 0, 0x5D],
        ]

    private static let objects: [String] = [
        whole, #"{"message":"m","level":"info"}"#, #"  {"message":"m","level":"info"}  "#,
        #"{"message":"m","level":"info"}x"#, #"{"message":"m","level":"info"}{}"#, #"{"message":"m","level":"info"}}"#,
        #"{"message":"m","level":"info"},"#, #"{"message":"m","level":"info","#, #"{"message":"m","level":"info""#,
        #"{"message":"m","level":"info"]"#, #"{"message":"m","level":"info"} // c"#, #"{"message":"m" "level":"info"}"#,
        #"{"message";"m","level":"info"}"#, #"{"message":"m","level":"info","a":{"b":1}"#,
        #"{"message":"m","level":"info","a":[{"b":1}}"#, #"{"message":"m","level":"info","message":"n"}"#,
        #"{"m\u0065ssage":"m","level":"info"}"#, #"{"message":"m","level":"info","tags":{"n":1e131071,"m":1e-16383}}"#,
    ]
}
