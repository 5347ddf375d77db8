import Testing

struct ConsoleExampleTests {
    private let document = """
        Text.

        ```sh
        f() { true; }
        ```

        ```console
        $ first
        {"id":"33ea64d41757ca0851418d23daf50fb4"} 202
        # second
        one
        two
        ```

        ```
        only an answer
        ```
        """

    private var examples: [ConsoleExample] { FencedBlock.all(in: document).flatMap(ConsoleExample.all) }

    @Test("Blocks have a language, a line and a text")
    func blocks() {
        #expect(FencedBlock.all(in: document).map(\.language) == ["sh", "console", ""])
        #expect(FencedBlock.all(in: document).first == FencedBlock(language: "sh", line: 4, text: "f() { true; }"))
    }

    @Test("Commands of a console have what follows for their answer; a block without a language has none")
    func commands() {
        #expect(examples.map(\.prompt) == ["$", "#"])
        #expect(examples.map(\.command) == ["first", "second"])
        #expect(examples.map(\.line) == [8, 10])
        #expect(examples.last?.answer == "one\ntwo")
    }

    @Test(
        "Ids and times may be others, and the width of columns; nothing else",
        arguments: [
            (#"{"id":"00000000000000000000000000000000"} 202"# + "\n", true),
            (#"{"id":"33ea64d41757ca0851418d23daf50fb4"} 200"#, false),
            (#"{"id":"33ea64d41757ca0851418d23daf50fb4"}"#, false), ("", false),
        ])
    func comparison(output: String, isRight: Bool) {
        #expect(examples.first?.isAnswered(by: output) == isRight)
        #expect(
            ConsoleExample.pattern(of: "2026-11-24T21:13:44.170000Z   a")
                == ConsoleExample.pattern(of: "2027-01-02 03:04:05Z a"))
    }

    @Test("Where numbers vary their words do not")
    func numbers() {
        func pattern(_ text: String) -> String { ConsoleExample.pattern(of: text, numbersVary: true) }
        #expect(pattern("version 15.20 (Debian 15.20-0+deb12u1), 8.3 MiB") == pattern("version 17 (Debian 1), 10 MiB"))
        #expect(pattern("good, 0.4 ms") != pattern("bad, 0.4 ms"))
    }
}
