internal import ArgumentParser
internal import PostgreSQL

/// `mesher events show`: one event in full.
struct EventsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show an event in full, with its payload as it was sent.",
        discussion: "Two projects may have an event of one id; both are shown.")

    @Argument(help: "32 hex digits or a UUID.") var id: String
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: CommonOptions

    private static let columns = [
        "received_at", "timestamp", "level", "message", "platform", "environment", "release", "server_name", "logger",
        "transaction", "sdk_name", "sdk_version",
    ]

    func run() throws {
        let digits = id.filter { $0 != "-" }
        guard let id = APIKey.normalized(digits) else {
            throw CommandError(.dataError, "an event's id is 32 hex digits or a UUID")
        }
        let connection = try options.openMigratedDatabase()
        let utc = "AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'"
        let selected = Self.columns.map {
            $0 == "received_at" || $0 == "timestamp" ? "to_char(\"\($0)\" \(utc))" : "\"\($0)\""
        }
        // Each project is looked into by the primary key; a join would read whole partitions.
        let rows = try connection.query(
            """
            SELECT p.slug, e.* FROM public.projects p CROSS JOIN LATERAL (
                SELECT \(selected.joined(separator: ", ")), tags, payload FROM public.events
                WHERE project_id = p.id AND event_id = $1::uuid OFFSET 0
            ) AS e ORDER BY p.slug
            """, [id])
        guard rows.count > 0 else { throw CommandError(.dataError, "no event \(id)") }
        for row in 0..<rows.count { show(id, rows, row) }
    }

    private func show(_ id: String, _ rows: borrowing Rows, _ row: Int) {
        let names = ["project"] + Self.columns
        var values: [(String, String?)] = [("id", id)]
        for (column, name) in names.enumerated() { values.append((name, rows[row: row, column: column])) }
        let tags = rows[row: row, column: names.count]
        let payload = rows[row: row, column: names.count + 1] ?? "null"
        guard output.isJSON else {
            let width = names.map(\.count).max() ?? 0
            for (name, value) in values + [("tags", tags), ("payload", payload)] {
                guard let value else { continue }
                let padding = String(repeating: " ", count: max(0, width - name.count))
                print("\(name)\(padding)  \(TextTable.printable(value))")
            }
            return
        }
        var members = values.map { ($0.0, JSON.optional($0.1)) }
        members.append(("tags", tags.map { .verbatim($0) } ?? .null))
        members.append(("payload", .verbatim(payload)))
        print(JSON.members(members))
    }
}
