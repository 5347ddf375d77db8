import PostgreSQL
import StorageChannel
import TestServers
import Testing

@Suite struct CommitterTests {
    @Test("an event becomes a row, its columns as they were sent, absent ones NULL")
    func row() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        let event = TestEvent(
            project: 5, eventID: 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef, release: nil, tags: nil,
            payload: #"{"message":"it failed","n":123456789012345678901234567890}"#)
        #expect(edge.store([event]) == [.durable])
        let rows = try storage.open().query(
            """
            SELECT project_id, event_id, received_on, "timestamp" AT TIME ZONE 'UTC', level, message, platform,
                environment, release, server_name, logger, transaction, tags, payload FROM events
            """)
        #expect(
            (0..<14).map { rows[row: 0, column: $0] } == [
                "5", "01234567-89ab-cdef-0123-456789abcdef", "2026-01-02", "2026-01-02 12:00:00.000001", "error",
                "it failed", "swift", nil, nil, "web-1", nil, "", nil,
                #"{"message":"it failed","n":123456789012345678901234567890}"#,
            ])
    }

    @Test("many events sent at once are all stored, and each is answered once")
    func many() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        let events = (0..<3_000).map { TestEvent(ticket: $0) }
        #expect(edge.store(events).allSatisfy { $0 == .durable })
        #expect(try eventually { try storage.value("SELECT count(*) FROM events") == "3000" })
    }

    @Test("an event of the largest size is stored, and small ones after it")
    func large() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        let payload = "\"" + String(repeating: "x", count: 1 << 20) + "\""
        #expect(
            edge.store([TestEvent(message: String(repeating: "m", count: 1 << 20), payload: payload)]) == [.durable])
        #expect(edge.store([TestEvent(ticket: 2)]) == [.durable])
        // PostgreSQL's own compression takes twenty times as long.
        let compression = "SELECT pg_column_compression(message) FROM events ORDER BY length(message) DESC LIMIT 1"
        #expect(try eventually { try storage.value(compression) == "lz4" })
    }

    @Test("a single event does not stand behind a bulk")
    func bulk() throws {
        let storage = try StorageProcess(
            settings: ["MESHER_SPOOL_AFTER": "4000"],
            prepare: """
                CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;
                CREATE TRIGGER linger BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.message = 'slow')
                EXECUTE FUNCTION linger();
                """)
        let edge = try storage.edge()
        edge.send(TestEvent(ticket: 1, flags: 3, message: "slow").frame)
        edge.send(TestEvent(ticket: 2).frame)
        let order = (0..<2).compactMap { _ in
            edge.next { if case .stored(let entries) = $0 { entries.map(\.ticket) } else { nil } }
        }
        #expect(order == [[2], [1]])
        // On a busy machine the bulk may take longer than events wait for PostgreSQL, and come by the spool.
        #expect(try eventually { try storage.value("SELECT count(*) FROM events") == "2" })
    }

    @Test("the same id is stored once: within a batch, over two edges, on the neighbouring days")
    func duplicates() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        let first = TestEvent(ticket: 1, eventID: 9, message: "first")
        var nextDay = TestEvent(ticket: 2, eventID: 9, message: "next day")
        nextDay.day += 1
        let again = TestEvent(ticket: 3, eventID: 9, message: "again")
        #expect(edge.store([first, nextDay, again]) == [.durable, .durable, .durable])

        let other = try storage.edge()
        #expect(other.store([again]) == [.durable])
        #expect(other.store([nextDay]) == [.durable])
        var dayBefore = first
        dayBefore.day -= 1
        #expect(other.store([dayBefore]) == [.durable])
        #expect(try storage.value("SELECT string_agg(message, ',') FROM events") == "first")

        var otherProject = first
        otherProject.project = 2
        #expect(other.store([otherProject]) == [.durable])
        #expect(try eventually { try storage.value("SELECT count(*) FROM events") == "2" })
    }

    @Test("an event whose day has no partition gets one")
    func missingPartition() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        let events = [3, 4_000, -4_000].enumerated().map { position, day in
            TestEvent(ticket: UInt64(position), day: Int32(day))
        }
        #expect(edge.store(events) == [.durable, .durable, .durable])
        #expect(try storage.value("SELECT count(*) FROM events_20000104") == "1")
    }

    @Test("the partitions of the coming week are there before any event")
    func comingDays() throws {
        let storage = try StorageProcess()
        _ = try storage.edge()
        let count = try storage.value("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass")
        #expect(count == "9")
    }

    @Test(
        "an event that PostgreSQL refuses takes no other along, and is acknowledged where it can be set aside",
        arguments: [true, false])
    func refused(hasSpool: Bool) throws {
        let storage = try StorageProcess(
            settings: hasSpool ? [:] : ["MESHER_SPOOL_LIMIT": "0"],
            prepare: """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'no %', NEW.message; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.message = 'bad')
                EXECUTE FUNCTION refuse();
                """)
        let edge = try storage.edge()
        var events = (0..<100).map { TestEvent(ticket: $0, project: 7) }
        events[37].message = "bad"
        events[80].payload = "no JSON"
        events[99].message = "a\u{0}b"
        let results = edge.store(events)
        let refused: Set = [37, 80, 99]
        for position in events.indices {
            #expect(results[position] == (hasSpool || !refused.contains(position) ? .durable : .unavailable))
        }
        // On a busy machine some wait in the spool first.
        #expect(eventually { storage.spoolFiles(".event").count == (hasSpool ? refused.count : 0) })
        #expect(try eventually { try storage.value("SELECT count(*) FROM events") == "97" })
        guard hasSpool else { return }
        #expect(storage.log.contains("sqlstate=") && storage.log.contains("project=7"))
        #expect(!storage.log.contains("no bad") && !storage.log.contains("no JSON"))
    }

    @Test("an event that can have no partition takes no other along")
    func impossibleDay() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        var events = (0..<4).map { TestEvent(ticket: $0, day: 100) }
        events[2].day = .max
        #expect(edge.store(events) == [.durable, .durable, .durable, .durable])
        #expect(storage.spoolFiles(".event").count == 1)
    }
}
