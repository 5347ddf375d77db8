import RecordedInputs
import StorageChannel
import TestServers
import Testing

extension EndToEnd {
    /// What Sentry's own normaliser makes of events of every shape, through the real routes.
    struct SentryCorpusTests {
        let project: Project

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        /// Those that are texts, or the text of JSON, in their order in a row of `query`.
        private static let columns = EventRecord.Column.allCases.filter {
            $0.declaration.kind == .text || $0.declaration.kind == .jsonb
        }

        @Test(
            "Events of every shape come to Sentry's columns from both routes, but for the differences that are listed")
        func columns() throws {
            // Those with an id of their own are few ids, each of which is stored once.
            let shapes = SentryShape.recorded().filter { $0.columns[.eventID] == nil }
            let ids = try post(shapes)
            let rows = try self.rows()
            #expect(rows.count == shapes.count)
            for (shape, id) in zip(shapes, ids) {
                let row = try #require(rows[id], "\(shape) is stored")
                guard !shape.isRefused else { continue }
                let comparisons = SentryComparison.all(
                    of: shape, text: { row[$0] }, tags: row[.tags])
                for comparison in comparisons {
                    #expect(SentryDifference.reason(for: comparison) != nil, "\(comparison)")
                }
            }
        }

        /// Posts each shape, to one of the routes by turns, on a few connections at once; returns their ids.
        private func post(_ shapes: [SentryShape]) throws -> [String] {
            let key = [("X-Sentry-Auth", "Sentry sentry_key=\(project.key), sentry_version=7")]
            let connections = try (0..<32).map { _ in try HTTPConnection(port: project.stack.port) }
            var ids: [String] = []
            for start in stride(from: 0, to: shapes.count, by: connections.count) {
                let group = shapes[start..<min(start + connections.count, shapes.count)]
                for (index, (shape, connection)) in zip(group, connections).enumerated() {
                    let isStore = index % 2 == 0
                    let body = isStore ? shape.event : "{}\n{\"type\":\"event\"}\n\(shape.event)\n"
                    let route = isStore ? "store" : "envelope"
                    connection.send("POST", "/api/\(project.id)/\(route)/", key, body: Array(body.utf8))
                }
                for (shape, connection) in zip(group, connections) {
                    let response = try connection.receive()
                    ids.append(try #require(response.id, "\(shape): \(response.status) \(response.text)"))
                }
            }
            return ids
        }

        /// The columns of each event, by its id; the timestamp is absent where it is that of receipt.
        private func rows() throws -> [String: [EventRecord.Column: String]] {
            // In hex, since psql parts columns by tabs and rows by line breaks.
            let texts = Self.columns.map { "encode(convert_to(\"\($0.declaration.name)\"::text, 'UTF8'), 'hex')" }
            let rows = try project.stack.query(
                """
                SELECT replace(event_id::text, '-', ''),
                    CASE WHEN "timestamp" <> received_at
                        THEN encode(((extract(epoch FROM "timestamp") * 1000000)::bigint::text)::bytea, 'hex') END,
                    \(texts.joined(separator: ", "))
                FROM events WHERE project_id = \(project.id)
                """)
            var found: [String: [EventRecord.Column: String]] = [:]
            for row in rows {
                let columns = zip([.timestamp] + Self.columns, row.dropFirst()).filter { !$0.1.isEmpty }
                found[row[0]] = Dictionary(uniqueKeysWithValues: columns.map { ($0, Self.text(ofHex: $1)) })
            }
            return found
        }

        private static func text(ofHex digits: String) -> String {
            var bytes: [UInt8] = []
            var rest = digits.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }[...]
            while rest.count > 1 { bytes.append(UInt8(rest.removeFirst() * 16 + rest.removeFirst())) }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
