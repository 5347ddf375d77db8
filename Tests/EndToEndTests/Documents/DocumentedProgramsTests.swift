import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// The programs and statements of the documents, as they stand there.
    struct DocumentedProgramsTests {
        let project: Project
        private let blocks: [FencedBlock]

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
            blocks = try ["http.md", "operating.md"].flatMap {
                FencedBlock.all(in: try String(contentsOfFile: Stack.root + "/docs/" + $0, encoding: .utf8))
            }
        }

        private func block(_ language: String, _ word: String) throws -> String {
            try #require(blocks.first { $0.language == language && $0.text.contains(word) }).text
        }

        /// Runs a program that prints an event's id, and looks for its row.
        private func send(_ command: [String], _ text: String) throws {
            let environment = ["MESHER_URL": project.stack["MESHER_URL"], "MESHER_KEY": project.key]
            let id = try Execution.output(command + [text], environment: environment)
            let rows = try project.stack.query(
                "SELECT replace(event_id::text, '-', '') FROM events WHERE project_id = \(project.id) AND message = 'it broke'"
            )
            #expect(rows == [[id]])
        }

        @Test("Python")
        func python() throws {
            try send(["python3", "-c"], block("python", "def report") + "\nprint(report(ValueError('it broke')))")
        }

        @Test(
            "JavaScript",
            .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/node"), "no Node is installed"))
        func javaScript() throws {
            let text = try block("javascript", "function report")
            try send(
                ["node", "-e"],
                "const { MESHER_URL, MESHER_KEY } = process.env;\n\(text)\nreport(new Error('it broke')).then(console.log)"
            )
        }

        @Test("SQL")
        func sql() throws {
            let statement = try block("sql", "date_trunc").replacing(
                "project_id = 1", with: "project_id = \(project.id)")
            #expect(try project.post(#"{"message":"m","level":"info"}"#).status == 202)
            #expect(try project.stack.query(statement).map { $0[1...] } == [["info", "1"]])
        }
    }
}
