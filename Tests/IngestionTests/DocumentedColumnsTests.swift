import Foundation
import StorageChannel
import Testing

/// The documents say of each column what is declared.
struct DocumentedColumnsTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The cells of the rows of a document's tables that begin with a name.
    private func rows(_ path: String) throws -> [[String]] {
        try String(contentsOfFile: Self.root + "/" + path, encoding: .utf8).split(separator: "\n")
            .filter { $0.hasPrefix("| `") }
            .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
    }

    private static let columns = EventRecord.Column.allCases.map(\.declaration)

    @Test("sentry-events.md has each column's sources and bound")
    func sentry() throws {
        let rows = try rows("docs/sentry-events.md")
        for column in Self.columns where !column.sentry.isEmpty {
            let row = try #require(rows.first { $0[0] == "`\(column.name)`" }, "\(column.name)")
            let sources = column.sentry.map(Self.words).joined(separator: ", else ")
            #expect(row[1] == sources || row[1].hasPrefix(sources + ";"))
            #expect(row[2] == column.bound.map { "\($0)" })
        }
    }

    private static func words(_ source: EventColumn.Source) -> String {
        switch source {
        case .field(let name): "`\(name)`"
        case .member(let name, of: let object): "`\(object).\(name)`"
        case .tag: "the tag"
        case .exception(let name): "the last exception's `\(name)`"
        }
    }

    @Test("http.md and openapi.yaml have the fields that must be strings, since they are columns")
    func native() throws {
        let names = Self.columns.filter { if case .string = $0.native { true } else { false } }.map { "\($0.name)" }
        let listed = names.map { "`\($0)`" }.joined(separator: ", ")
        #expect(try rows("docs/http.md").contains { $0[0] == listed && $0[1] == "a string" })
        let schema = try String(contentsOfFile: Self.root + "/docs/openapi.yaml", encoding: .utf8)
        let texts = schema.matches(of: /\n +([a-z_]+): {\$ref: '#\/components\/schemas\/Text'}/)
        #expect(texts.map { String($0.output.1) } == names)
    }
}
