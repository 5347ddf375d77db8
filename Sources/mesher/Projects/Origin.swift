internal import ArgumentParser

/// The origin of pages that may send, `https://shop.example` or `https://*.shop.example:8080`, or none for any.
enum Origin: Equatable, ExpressibleByArgument {
    case none
    /// In small letters.
    case page(String)

    init?(argument: String) {
        if argument == "none" {
            self = .none
            return
        }
        let text = argument.lowercased()
        let parts = text.split(separator: "://", omittingEmptySubsequences: false)
        guard text.utf8.count <= 300, parts.count == 2, let first = parts[0].first, first.isASCII, first.isLetter,
            parts[0].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }),
            !parts[1].isEmpty
        else { return nil }
        let host = parts[1].hasPrefix("*.") ? parts[1].dropFirst(2) : parts[1]
        guard !host.isEmpty,
            host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || ".-:[]_".contains($0)) })
        else { return nil }
        self = .page(text)
    }

    /// A literal of PostgreSQL's text[]; nil for NULL. Origins hold nothing that needs an escape in quotes.
    static func array(_ origins: [Origin]) -> String? {
        let pages = origins.compactMap { if case .page(let text) = $0 { "\"\(text)\"" } else { nil } }
        return pages.isEmpty ? nil : "{\(pages.joined(separator: ","))}"
    }
}
