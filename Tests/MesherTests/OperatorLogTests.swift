import Testing

@testable import mesher

struct OperatorLogTests {
    @Test("a line says who and what, whoever sudo names cannot write another line")
    func line() {
        #expect(OperatorLog.line("did it", user: 0, login: nil) == "root (uid 0) did it")
        #expect(OperatorLog.line("did it", user: 0, login: "ann\nroot") == "root (uid 0, by sudo of ann root) did it")
        #expect(
            OperatorLog.line("did it", user: 4_294_000_000, login: nil)
                == "a user without a name (uid 4294000000) did it")
    }

    @Test(
        "only yes is yes",
        arguments: [
            ("y", true), ("Yes", true), (" y ", true), ("", false), ("n", false), ("yess", false), (nil, false),
        ])
    func yes(answer: String?, isYes: Bool) {
        #expect(Confirmation.isYes(answer) == isYes)
    }
}
