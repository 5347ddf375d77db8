import Foundation
import StorageChannel
import Testing

/// The documents say of each column of `events` what is declared.
struct ColumnsTableTests {
    private static let columns = EventRecord.Column.allCases.map(\.declaration)

    @Test("The table of the columns is that of the declarations; make docs writes it")
    func table() throws {
        let head = "| column | type | since |\n|---|---|---|\n"
        let rows = Self.columns.map { "| `\($0.name)` | \($0.kind.rawValue) | \($0.since) |\n" }.joined()
        #expect(try Document("docs/operating.md").hasGenerated(head + rows))
    }

    /// The cells of the rows of a document's tables that begin with a name.
    private func rows(_ name: String) throws -> [[String]] {
        try Document(name).text.split(separator: "\n").filter { $0.hasPrefix("| `") }
            .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
    }

    @Test("sentry-events.md has each column's sources and bound")
    func sentry() throws {
        let rows = try rows("docs/sentry-events.md")
        for column in Self.columns where !column.sentry.isEmpty {
            let row = try #require(rows.first { $0[0] == "`\(column.name)`" }, "\(column.name)")
            let sources = Self.words(column)
            #expect(row[1] == sources || row[1].hasPrefix(sources + ";"))
            #expect(row[2] == column.bound.map { "\($0)" })
        }
    }

    @Test("http.md and openapi.yaml have the fields that must be strings, since they are columns")
    func native() throws {
        let names = Self.columns.filter { if case .string = $0.native { true } else { false } }.map { "\($0.name)" }
        let listed = names.map { "`\($0)`" }.joined(separator: ", ")
        #expect(try rows("docs/http.md").contains { $0[0] == listed && $0[1] == "a string" })
        let texts = try Document("docs/openapi.yaml").text
            .matches(of: /\n +([a-z_]+): {\$ref: '#\/components\/schemas\/Text'}/)
        #expect(texts.map { String($0.output.1) } == names)
    }

    @Test("http.md has the columns that are made of fields nobody is refused for")
    func lenient() throws {
        let rows = try rows("docs/http.md")
        for column in Self.columns {
            guard case .lenient = column.native else { continue }
            #expect(rows.contains(["`\(column.name)`", Self.words(column), column.bound.map { "\($0)" } ?? ""]))
        }
    }

    private static func words(_ column: EventColumn) -> String {
        column.sentry.map { source in
            switch source {
            case .field(let name): "`\(name)`"
            case .member(let name, of: let object): "`\(object).\(name)`"
            case .tag: "the tag"
            case .exceptionType: "the last exception's `type`"
            }
        }.joined(separator: ", else ")
    }
}
