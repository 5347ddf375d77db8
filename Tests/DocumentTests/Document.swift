import Foundation

/// A file of documentation in this checkout.
struct Document {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    let name: String
    let text: String

    init(_ name: String) throws {
        self.name = name
        text = try String(contentsOfFile: Self.root + "/" + name, encoding: .utf8)
    }

    /// README, CONTRIBUTING and everything in docs.
    static func all() throws -> [Document] {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.root + "/docs")
            .filter { $0 != "images" }.map { "docs/" + $0 }
        return try (["README.md", "CONTRIBUTING.md"] + names.sorted()).map(Document.init)
    }

    func matches(_ expression: Regex<Substring>) -> Set<String> {
        Set(text.matches(of: expression).map { String($0.output) })
    }

    /// Whether the part between the marks is a text; with `WRITE_DOCUMENTS` in the environment, as `make docs` has it, the
    /// text is written there first.
    func hasGenerated(_ generated: String) throws -> Bool {
        let opening = "<!-- generated -->\n"
        let closing = "<!-- end -->"
        guard let start = text.range(of: opening)?.upperBound,
            let end = text.range(of: closing, range: start..<text.endIndex)?.lowerBound
        else { return false }
        if ProcessInfo.processInfo.environment["WRITE_DOCUMENTS"] != nil {
            let written = text.replacingCharacters(in: start..<end, with: generated)
            try Data(written.utf8).write(to: URL(fileURLWithPath: Self.root + "/" + name))
            return true
        }
        return text[start..<end] == generated
    }
}
