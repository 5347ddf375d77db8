internal import ArgumentParser
internal import PostgreSQL
internal import StorageChannel

/// `mesher events show`: one event in full.
struct EventsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show an event in full, with its payload as it was sent.",
        discussion: "If two projects have an event with this id, both are shown.")

    @Argument(help: "32 hex digits or a UUID.") var id: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: CommonOptions

    /// All of the table but what the event was found by; the JSON last.
    private static let columns = EventRecord.Column.allCases.map(\.declaration)
        .filter { ![.int8, .uuid, .date].contains($0.kind) }
        .sorted { !$0.kind.isJSON && $1.kind.isJSON }

    func run() throws {
        let digits = id.filter { $0 != "-" }
        guard let id = APIKey.normalized(digits) else {
            throw CommandError(.dataError, "an event's id is 32 hex digits or a UUID")
        }
        let connection = try options.openMigratedDatabase()
        let utc = "AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'"
        let selected = Self.columns.map {
            $0.kind == .timestamptz ? "to_char(\"\($0.name)\" \(utc))" : "\"\($0.name)\""
        }
        // Each project is looked into by the primary key; a join would read whole partitions.
        let rows = try connection.query(
            """
            SELECT p.slug, e.* FROM public.projects p CROSS JOIN LATERAL (
                SELECT \(selected.joined(separator: ", ")) FROM public.events
                WHERE project_id = p.id AND event_id = $1::uuid OFFSET 0
            ) AS e ORDER BY p.slug
            """, [id])
        guard rows.count > 0 else { throw CommandError(.dataError, "no event \(id)") }
        for row in 0..<rows.count { show(id, rows, row) }
    }

    private func show(_ id: String, _ rows: borrowing Rows, _ row: Int) {
        var values: [(name: String, value: String?, isJSON: Bool)] = [
            ("id", id, false), ("project", rows[row: row, column: 0], false),
        ]
        for (place, column) in Self.columns.enumerated() {
            values.append(("\(column.name)", rows[row: row, column: 1 + place], column.kind.isJSON))
        }
        guard output.isJSON else {
            let width = values.map(\.name.count).max() ?? 0
            for (name, value, _) in values {
                guard let value else { continue }
                let padding = String(repeating: " ", count: max(0, width - name.count))
                print("\(name)\(padding)  \(TextTable.printable(value))")
            }
            return
        }
        print(
            JSON.members(
                values.map { name, value, isJSON in
                    (name, isJSON ? value.map { .verbatim($0) } ?? .null : .optional(value))
                }))
    }
}
