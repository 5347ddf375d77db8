import Foundation
import TestServers
import Testing

/// The examples of the documents, typed as they stand there.
@Suite(.enabled(if: Stack.isBuilt, "make build has made no programs yet"))
struct DocumentedExamplesTests {
    private static func text(_ document: String) throws -> String {
        try String(contentsOfFile: Stack.root + "/" + document, encoding: .utf8)
    }

    /// All documents. First those with a stack to which nothing has been sent that it refuses.
    private static func documents() throws -> [String] {
        let first = ["README.md", "docs/operating.md", "CONTRIBUTING.md"]
        let names = try FileManager.default.contentsOfDirectory(atPath: Stack.root + "/docs").sorted()
        return first + names.filter { $0.hasSuffix(".md") }.map { "docs/" + $0 }.filter { !first.contains($0) }
    }

    /// What has to be there before a command, which begins so, is typed.
    private static let preparations = [
        "mesher stream $MESHER_DSN <": #"printf '{"message":"%s","level":"info"}\n' One Two >events.ndjson"#,
        // The watchdog has to have asked through each socket once.
        "mesher status": #"until [ "$(mesher status | grep -c '^check')" = 4 ]; do sleep 0.1; done"#,
    ]

    @Test("Each command beside the private stack is answered as the document says")
    func commands() throws {
        let stack = try Stack(settings: ["MESHER_WORKERS=2", "MESHER_HEALTH_INTERVAL=1"])
        defer { stack.stop() }
        // curl(1) tells how far it is only where no terminal is.
        try Data("silent\nshow-error\n".utf8).write(to: URL(fileURLWithPath: stack.folder + "/.curlrc"))
        var count = 0
        for document in try Self.documents() {
            var session = ExampleSession()
            // Where the document stands beside a stack of its reader's.
            session.type("ln -sfn . .run")
            if document != "README.md" { session.define(". .run/env") }
            for block in FencedBlock.all(in: try Self.text(document)) {
                if block.language == "sh", document == "docs/http.md" { session.define(block.text) }
                for example in ConsoleExample.all(in: block) where example.prompt == "$" {
                    for (beginning, text) in Self.preparations where example.command.hasPrefix(beginning) {
                        session.type(text)
                    }
                    session.type(example)
                    count += 1
                }
            }
            for (example, output) in try session.run(folder: stack.folder, environment: ["HOME": stack.folder]) {
                #expect(
                    example.isAnswered(by: output),
                    "\(document):\(example.line): \(example.command)\nanswers: \(output)")
            }
        }
        #expect(count > 60, "they are found")
    }
}
