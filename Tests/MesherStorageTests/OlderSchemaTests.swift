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

    @Test("On a schema in which keys do not end, and of which no use is noted, keys are read, and changes are heard of")
    func olderKeys() throws {
        let (key, later) = (KeyID(0xaaaa), KeyID(0xbbbb))
        let storage = try StorageProcess(
            settings: ["MESHER_FAULT": "hasty:100"],
            prepare: """
                ALTER TABLE api_keys DROP COLUMN expires_at, DROP COLUMN rotated_at, DROP COLUMN unused_days;
                DROP FUNCTION mesher_note_key_uses; DROP TABLE key_uses; DROP TABLE project_deletions;
                \(CommitterFailureTests.project(with: key))
                """)
        let edge = try storage.edge()
        #expect(edge.lookUp(key)?.state == .known)
        let owner = try storage.open()
        try owner.execute("INSERT INTO api_keys (key, project_id) VALUES ('\(CommitterFailureTests.hex(later))', 1)")
        #expect(edge.key(later)?.state == .known)
        // The schema is migrated while the session lasts.
        try owner.execute("ALTER TABLE api_keys ADD COLUMN expires_at timestamptz")
        try owner.execute(
            "UPDATE api_keys SET expires_at = now() WHERE key = '\(CommitterFailureTests.hex(later))'")
        #expect(edge.key(later)?.state == .unknown)
        #expect(edge.lookUp(key)?.state == .known)
        #expect(eventually { storage.log.contains("the last use of keys is not noted") })
    }
}
