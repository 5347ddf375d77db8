internal import ArgumentParser

/// What `--scrub` says: `off`, or a list of `default`, `ip`, `email` and names of fields.
struct ScrubOption: ExpressibleByArgument {
    /// The most names of one project, and the most characters of each.
    private static let names = 100
    private static let characters = 64

    /// Each once, in small letters; none when it is off.
    let items: [String]

    init?(argument: String) {
        let items = argument.lowercased().split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        if items == ["off"] || items == ["none"] {
            self.items = []
            return
        }
        guard items.count <= Self.names, items.allSatisfy(Self.isName) else { return nil }
        self.items = items.enumerated().filter { items.firstIndex(of: $1) == $0 }.map(\.element)
    }

    private static func isName(_ text: String) -> Bool {
        text != "off" && text != "none" && text.utf8.count <= characters
            && text.contains { $0.isLetter || $0.isNumber }
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) }
    }

    /// What is stored; nil for NULL.
    var parameter: String? { items.isEmpty ? nil : items.joined(separator: " ") }
}
