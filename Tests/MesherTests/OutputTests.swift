import Testing

@testable import mesher

struct OutputTests {
    @Test("JSON escapes what must be escaped, and what a terminal would obey")
    func escapesStrings() {
        let text = "\" \\ / \n \r \t \u{0} \u{1b} \u{7f} \u{9b} é 🦊"
        let expected = #""\" \\ / \n \r \t \u0000 \u001b \u007f \u009b é 🦊""#
        #expect(JSON.string(text).description == expected)
    }

    @Test("an object keeps the order of its members, and nil is null")
    func ordersMembers() {
        let value = JSON.object([
            "z": .integer(-1), "a": .array([.boolean(true), .null]), "m": .optional(nil as String?),
            "o": .object([:]),
        ])
        #expect(value.description == #"{"z":-1,"a":[true,null],"m":null,"o":{}}"#)
    }

    @Test("JSON that is passed on stays on one line, and loses what a terminal would obey")
    func passesJSONOn() {
        #expect(JSON.verbatim("{\n\t\"a\": \"\u{9b}\u{7f}\"\r\n}").description == #"{  "a": "\u009b\u007f"  }"#)
    }

    @Test("columns line up, left or right, without trailing spaces")
    func alignsColumns() {
        var table = TextTable(["NAME": .left, "N": .right, "LAST": .left])
        table.append(["a", "1", "x"])
        table.append(["longer", "100", nil])
        #expect(
            table.description == """
                NAME      N  LAST
                a         1  x
                longer  100  -
                """)
    }

    @Test("control and format characters of a cell are replaced, line breaks become spaces")
    func cellsArePrintable() {
        #expect(
            TextTable.printable("a\u{1b}[31m\nb\u{202e}c\u{9b}\u{7f}") == "a\u{fffd}[31m b\u{fffd}c\u{fffd}\u{fffd}")
        #expect(TextTable.printable("naïve 🦊 日本") == "naïve 🦊 日本")
    }
}
