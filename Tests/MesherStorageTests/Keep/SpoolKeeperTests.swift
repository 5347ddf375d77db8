import Foundation
import PostgreSQL
import StorageChannel
import TestServers
import Testing

/// The promise of an acknowledgement, with a real PostgreSQL that goes away, hangs or refuses.
@Suite struct SpoolKeeperTests {
    @Test(
        "while PostgreSQL is away events are durable on disk, and in PostgreSQL when it is back, as they were received")
    func away() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        try storage.allowConnections(false)
        try storage.endSessions()
        #expect(eventually { edge.probe()?.degradation == .postgresql })
        var sent = SpooledEvents.events(200)
        // A day whose partition is long gone.
        sent[5].day = 30
        for event in sent[100...].indices { sent[event].flags = 3 }
        #expect(edge.store(sent).allSatisfy { $0 == .durable })
        #expect(edge.probe()?.accepts == true)
        #expect(storage.spoolFiles().count == 1)
        try storage.allowConnections(true)
        #expect(try eventually { try SpooledEvents.holds(storage, 200) })
        #expect(eventually { SpooledEvents.isEmpty(storage) })
        #expect(eventually { edge.probe()?.degradation == [] })
        #expect(try storage.value("SELECT received_at::text FROM events_20000131") == "2000-01-31 12:00:00.000001+00")
        #expect(storage.log.contains("events go to the spool") && storage.log.contains("the spool is delivered"))
    }

    @Test(
        "what PostgreSQL has not committed after the deadline is durable on disk, and stored once by the primary key",
        arguments: [true, false])
    func deadline(hasPrimaryKey: Bool) throws {
        let storage = try StorageProcess(
            settings: ["MESHER_SPOOL_AFTER": "200"], prepare: hasPrimaryKey ? "" : SpooledEvents.withoutPrimaryKey)
        let edge = try storage.edge()
        // The day gets its partition, without which no statement of those below would store anything.
        #expect(edge.store(SpooledEvents.events(1)) == [.durable])
        #expect(try eventually { try SpooledEvents.holds(storage, 1) && SpooledEvents.isEmpty(storage) })
        let blocker = try storage.open()
        try blocker.execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        #expect(edge.store(SpooledEvents.events(10, from: 1)).allSatisfy { $0 == .durable })
        #expect(
            edge.store(SpooledEvents.events(10, from: 11)).allSatisfy { $0 == .durable },
            "while the statement is under way")
        try blocker.execute("ROLLBACK")
        #expect(eventually { SpooledEvents.isEmpty(storage) })
        #expect(try eventually { try SpooledEvents.holds(storage, 21) == hasPrimaryKey })
        #expect(edge.store(SpooledEvents.events(1, from: 21)) == [.durable])
        #expect(SpooledEvents.isEmpty(storage), "PostgreSQL is asked first again")
    }

    @Test("a commit that is cut off has an unknown fate: the events are durable on disk, and stored once")
    func cutOff() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        let blocker = try storage.open()
        try blocker.execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        edge.send(SpooledEvents.events(10).flatMap(\.frame))
        #expect(try eventually { try storage.isCommitWaiting() })
        try storage.endSessions(named: "mesher-storage commit")
        #expect(edge.results(10).values.allSatisfy { $0.result == .durable })
        try blocker.execute("ROLLBACK")
        #expect(try eventually { try SpooledEvents.holds(storage, 10) })
    }

    @Test("a backend that is stopped costs no event")
    func stopped() throws {
        let storage = try StorageProcess(settings: ["MESHER_SPOOL_AFTER": "200"])
        let edge = try storage.edge()
        let name = "mesher-storage commit"
        let backend = try storage.value(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = '\(name)'")
        let process = try #require(backend.flatMap { pid_t($0) })
        kill(process, SIGSTOP)
        defer { kill(process, SIGCONT) }
        #expect(edge.store(SpooledEvents.events(10)).allSatisfy { $0 == .durable })
        #expect(try eventually { try SpooledEvents.holds(storage, 10) }, "by the other connection")
        kill(process, SIGCONT)
        #expect(edge.store(SpooledEvents.events(1, from: 10)) == [.durable])
        #expect(try eventually { try SpooledEvents.holds(storage, 11) })
    }

    @Test("a PostgreSQL that only reads costs no event; without a spool it does", arguments: [true, false])
    func readOnly(hasSpool: Bool) throws {
        let storage = try StorageProcess(settings: hasSpool ? [:] : ["MESHER_SPOOL_LIMIT": "0"])
        let edge = try storage.edge()
        let owner = try storage.open()
        try owner.execute("ALTER DATABASE \(storage.database) SET default_transaction_read_only = on")
        try storage.endSessions()
        #expect(edge.store(SpooledEvents.events(10)).allSatisfy { $0 == (hasSpool ? .durable : .unavailable) })
        try owner.execute(
            "SET default_transaction_read_only = off; ALTER DATABASE \(storage.database) RESET default_transaction_read_only"
        )
        #expect(eventually { edge.probe()?.degradation == [] && SpooledEvents.isEmpty(storage) })
        #expect(try SpooledEvents.holds(storage, hasSpool ? 10 : 0))
    }

    @Test(
        "after a failed fdatasync the events are refused, and later ones go to a new file; answered early they are lost",
        arguments: [false, true])
    func failedSync(answersEarly: Bool) throws {
        let storage = try StorageProcess(settings: ["MESHER_FAULT": "sync:\(EIO):1\(answersEarly ? ":early" : "")"])
        let edge = try storage.edge()
        try storage.allowConnections(false)
        try storage.endSessions()
        #expect(eventually { edge.probe()?.degradation == .postgresql })
        #expect(edge.store(SpooledEvents.events(1)) == [answersEarly ? .durable : .unavailable])
        #expect(eventually { storage.log.contains("Input/output error") })
        if !answersEarly {
            #expect(eventually { edge.store(SpooledEvents.events(1)) == [.durable] })
            #expect(storage.spoolFiles().count == 1)
        }
        try storage.allowConnections(true)
        #expect(eventually { edge.probe()?.degradation == [] && SpooledEvents.isEmpty(storage) })
        #expect(try SpooledEvents.holds(storage, answersEarly ? 0 : 1))
    }

    @Test("one project cannot fill the spool for the others; what does not fit is refused with a time to wait")
    func share() throws {
        let storage = try StorageProcess(settings: ["MESHER_SPOOL_LIMIT": "4", "MESHER_SPOOL_SHARE": "50"])
        let edge = try storage.edge()
        try storage.allowConnections(false)
        try storage.endSessions()
        #expect(eventually { edge.probe()?.degradation == .postgresql })
        let payload = "\"" + String(repeating: "x", count: 900 << 10) + "\""
        var large = SpooledEvents.events(6)
        for place in large.indices { large[place].payload = payload }
        for place in 3..<6 { large[place].project = 4 }
        edge.send(large.flatMap(\.frame))
        let results = edge.results(6)
        #expect(
            (0..<6).map { results[UInt64($0)]?.result } == [
                .durable, .durable, .unavailable, .durable, .durable, .unavailable,
            ])
        #expect(results[2]?.retryAfter == 10)
        #expect(edge.probe()?.degradation == [.postgresql, .spool])
        try storage.allowConnections(true)
        #expect(try eventually { try SpooledEvents.holds(storage, 4) })
        #expect(eventually { edge.probe()?.degradation == [] })
    }

    @Test("an event that PostgreSQL refuses when it is delivered is set aside, and its neighbours are stored")
    func refusedLater() throws {
        let storage = try StorageProcess(
            prepare: """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'no'; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.message = 'bad')
                EXECUTE FUNCTION refuse();
                """)
        let edge = try storage.edge()
        try storage.allowConnections(false)
        try storage.endSessions()
        var sent = SpooledEvents.events(20)
        sent[7].message = "bad"
        #expect(edge.store(sent).allSatisfy { $0 == .durable })
        try storage.allowConnections(true)
        #expect(try eventually { try SpooledEvents.holds(storage, 19) })
        #expect(eventually { SpooledEvents.isEmpty(storage) })
        #expect(storage.spoolFiles(".event") == ["1-3.event"])
    }

    @Test("a damaged record is set aside, and the others are stored")
    func damaged() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        try storage.allowConnections(false)
        try storage.endSessions()
        #expect(eventually { edge.probe()?.degradation == .postgresql })
        #expect(edge.store(SpooledEvents.events(20)).allSatisfy { $0 == .durable })
        storage.kill()
        let path = "\(storage.spool)/\(try #require(storage.spoolFiles().first))"
        var bytes = try #require(FileManager.default.contents(atPath: path))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        try storage.restart()
        try storage.allowConnections(true)
        #expect(try eventually { try SpooledEvents.holds(storage, 19) })
        #expect(eventually { SpooledEvents.isEmpty(storage) })
        #expect(storage.spoolFiles(".damaged").count == 1)
    }

    @Test("a spool of which nothing is delivered is told of, until it is")
    func standsStill() throws {
        let storage = try StorageProcess(settings: ["MESHER_FAULT": "hasty:60"])
        let edge = try storage.edge()
        try storage.allowConnections(false)
        try storage.endSessions()
        #expect(eventually { edge.probe()?.degradation == .postgresql })
        #expect(edge.store(SpooledEvents.events(3)).allSatisfy { $0 == .durable })
        #expect(eventually { edge.probe()?.degradation == [.postgresql, .backlog] })
        #expect(storage.log.contains("the spool is not being delivered"))
        try storage.allowConnections(true)
        #expect(eventually { edge.probe()?.degradation == [] && SpooledEvents.isEmpty(storage) })
        #expect(storage.log.contains("the spool is being delivered again"))
    }

    @Test("a second storage on the same directory works without it")
    func owned() throws {
        let owner = try StorageProcess()
        let other = try StorageProcess(settings: ["MESHER_SPOOL_DIR": owner.spool])
        let edge = try other.edge()
        #expect(other.log.contains("the spool cannot be used"))
        #expect(edge.probe()?.degradation == .spool)
        #expect(edge.store(SpooledEvents.events(1)) == [.durable])
        try other.allowConnections(false)
        try other.endSessions()
        #expect(eventually { edge.store(SpooledEvents.events(1, from: 1)) == [.unavailable] })
        owner.kill()
        #expect(eventually { edge.store(SpooledEvents.events(1, from: 1)) == [.durable] })
    }
}
