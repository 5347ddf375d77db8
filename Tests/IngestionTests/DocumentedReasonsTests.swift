import Foundation
import Ingestion
import Testing

struct DocumentedReasonsTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: Self.root + "/" + path, encoding: .utf8)
    }

    @Test("The reasons of openapi.yaml are those of answers, nginx's own included, and http.md has each")
    func reasons() throws {
        let nginx = try FileManager.default.contentsOfDirectory(atPath: Self.root + "/nginx")
            .map { try text("nginx/" + $0) }.joined().matches(of: /"reason":"([a-z_]+)"/).map { String($0.output.1) }
        // These two are counted, and nobody is refused for them.
        let told = Set(DiscardReason.allCases.map(\.rawValue) + nginx).subtracting([
            "unsupported_item", "surplus_event",
        ])
        let schema = try text("docs/openapi.yaml").components(separatedBy: "\n    Reason:\n")
        try #require(schema.count == 2)
        let named = schema[1].components(separatedBy: "\n\n")[0].matches(of: /- ([a-z_]+)/).map { String($0.output.1) }
        #expect(Set(named) == told)
        let prose = try text("docs/http.md")
        #expect(told.filter { !prose.contains($0) } == [])
    }
}
