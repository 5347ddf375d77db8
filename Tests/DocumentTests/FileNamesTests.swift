import Foundation
import Testing

/// The documents for contributors name files that exist.
struct FileNamesTests {
    /// The names of all Swift files.
    private func files() -> Set<String> {
        let roots = ["Sources", "Tests"].map { Document.root + "/" + $0 }
        return Set(
            roots.flatMap { root in
                FileManager.default.enumerator(atPath: root)?.compactMap { ($0 as? String)?.split(separator: "/").last }
                    ?? []
            }.map(String.init))
    }

    @Test("Each file that docs/architecture.md and CONTRIBUTING.md name exists")
    func names() throws {
        let known = files().union(["Package.swift"])
        for name in ["docs/architecture.md", "CONTRIBUTING.md"] {
            let named = try Document(name).matches(/[A-Za-z+…]+\.swift/).filter { !$0.contains("…") }
            #expect(named.count > 10 && named.subtracting(known).isEmpty, "\(name): \(named.subtracting(known))")
        }
    }
}
