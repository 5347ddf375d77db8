import PostgreSQL
import StorageChannel
import TestServers
import Testing

/// Storage of a release whose `mesher db migrate` was not run yet.
struct OlderSchemaTests {
    private static let later = EventRecord.Column.allCases.filter { $0.declaration.since > 1 }

    @Test("On a schema without the latest columns events are stored without them, and with them once it has them")
    func older() throws {
        let names = Self.later.map { "\"\($0.declaration.name)\"" }
        let storage = try StorageProcess(
            settings: ["MESHER_FAULT": "hasty:20", "MESHER_SPOOL_AFTER": "4000"],
            prepare: "ALTER TABLE events " + names.map { "DROP COLUMN \($0)" }.joined(separator: ", "))
        let edge = try storage.edge()
        var event = TestEvent(ticket: 1, eventID: 1)
        for column in Self.later { event.later[column] = "\(column)" }
        #expect(edge.store([event]) == [.durable])
        #expect(try storage.value("SELECT message FROM events") == "it failed")
        #expect(storage.log.contains("mesher db migrate"))

        let owner = try storage.open()
        try owner.execute("ALTER TABLE events " + names.map { "ADD COLUMN \($0) text" }.joined(separator: ", "))
        var ticket: UInt64 = 1
        let isFilled = try eventually {
            ticket += 1
            event = TestEvent(ticket: ticket, later: event.later)
            #expect(edge.store([event]) == [.durable])
            return try storage.value(
                "SELECT concat_ws(' ', \(names.joined(separator: ", "))) FROM events "
                    + "ORDER BY 1 DESC LIMIT 1") == Self.later.map { "\($0)" }.joined(separator: " ")
        }
        #expect(isFilled)
        #expect(try eventually { try storage.value("SELECT count(*) FROM events") == "\(ticket)" })
        #expect(eventually { storage.log.contains("the schema has all columns") })
    }

    @Test("An event of an older release has NULL in the columns that it did not know")
    func olderRecord() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        let event = TestEvent(ticket: 1)
        let content = event.content().dropLast(4 * Self.later.count)
        edge.send(bytes { writer in writer.frame(.store) { $0.append(Array(content)) } })
        let results = edge.next { if case .stored(let entries) = $0 { entries.map(\.ticket) } else { nil } }
        #expect(results == [1])
        let nulls = Self.later.map { "\"\($0.declaration.name)\" IS NULL" }.joined(separator: " AND ")
        #expect(try storage.value("SELECT count(*) FROM events WHERE \(nulls)") == "1")
    }
}
