import Foundation
import Testing

@testable import Configuration

/// What the documents name exists, and what exists they name.
struct DocumentTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: Self.root + "/" + path, encoding: .utf8)
    }

    /// README and all that is in docs, under their names.
    private func documents() throws -> [(name: String, text: String)] {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.root + "/docs").map { "docs/" + $0 }
        return try (["README.md"] + names.sorted()).map { ($0, try text($0)) }
    }

    private func matches(_ expression: Regex<Substring>, in text: String) -> Set<String> {
        Set(text.matches(of: expression).map { String($0.output) })
    }

    /// Those of the private stack and of examples, which are no settings.
    private static let variables: Set = [
        "MESHER_URL", "MESHER_WS_URL", "MESHER_KEY", "MESHER_DSN", "MESHER_PROJECT_ID", "MESHER_PORT",
        "MESHER_OPERATOR_URL", "MESHER_PGDATA", "MESHER_WRKERS", "MESHER_API", "MESHER_FAULT",
    ]

    @Test("Each setting is a row of README's table with its default, and no other is named anywhere")
    func settings() throws {
        let known = Set(Setting.all.flatMap { $0.isSecret ? [$0.name, $0.name + "_FILE"] : [$0.name] })
        for (name, text) in try documents() {
            let unknown = matches(/MESHER_[A-Z_]+[A-Z]/, in: text).subtracting(known).subtracting(Self.variables)
            #expect(unknown.isEmpty, "\(name)")
        }
        let rows = try text("README.md").split(separator: "\n").filter { $0.hasPrefix("| `MESHER_") }
        #expect(rows.count == Setting.all.count)
        for setting in Setting.all {
            let row = rows.first { $0.hasPrefix("| `\(setting.name)`") }.map(String.init)
            let cell = row?.split(separator: "|").dropFirst().first?.trimmingCharacters(in: .whitespaces)
            let fallback = setting.fallback.isEmpty ? "empty" : setting.fallback
            #expect(cell?.replacingOccurrences(of: "`", with: "") == fallback, "\(setting.name)")
        }
    }

    /// Names of roles, functions and the like, which are no metrics.
    private static let others: Set = [
        "mesher_storage", "mesher_owner", "mesher_runtime", "mesher_notify", "mesher_make_partitions", "mesher_keys",
        "mesher_rate",
    ]

    @Test("Each metric is named in README, and each that a document names exists")
    func metrics() throws {
        let folder = "Sources/mesher-watchdog/"
        let sources = try FileManager.default.contentsOfDirectory(atPath: Self.root + "/" + folder)
            .filter { $0.hasPrefix("Metrics") }.map { try text(folder + $0) }.joined()
        let known = matches(/mesher_[a-z_]+[a-z]/, in: sources)
        #expect(known.count > 30)
        #expect(known.subtracting(matches(/mesher_[a-z_]+[a-z]/, in: try text("README.md"))) == [])
        for (name, text) in try documents() {
            let named = matches(/mesher_[a-z_]+[a-z]/, in: text).subtracting(Self.others)
            let parts = ["_bucket", "_sum", "_count"].flatMap { part in known.map { $0 + part } }
            #expect(named.subtracting(known).subtracting(parts) == [], "\(name)")
        }
    }
}
