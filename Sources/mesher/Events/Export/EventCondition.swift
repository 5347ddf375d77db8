internal import ArgumentParser
internal import StorageChannel

/// `NAME=VALUE`: what a column that is a text must be.
struct EventCondition: ExpressibleByArgument {
    /// Quoted for SQL.
    let column: String
    let value: String

    /// The columns that it may name.
    static let names = EventRecord.Column.allCases.map(\.declaration).filter { $0.kind == .text }.map { "\($0.name)" }

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, Self.names.contains(String(parts[0])), !argument.utf8.contains(0) else { return nil }
        column = "\"\(parts[0])\""
        value = String(parts[1])
    }
}
