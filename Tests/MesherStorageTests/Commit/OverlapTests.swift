import PostgreSQL
import StorageChannel
import TestServers
import Testing

@testable import mesher_storage

/// A second connection begins the next batch while the first one's commit is under way.
@Suite struct OverlapTests {
    private func events(_ count: Int, from first: Int = 0) -> [TestEvent] {
        (first..<first + count).map { TestEvent(ticket: UInt64($0), eventID: UInt128($0 + 1)) }
    }

    @Test("a helper takes what was gathered once as many events wait as are being committed")
    func asMany() {
        let first = DecidingCommitter.ready()
        let helper = first.helper()
        first.gather(events(2))
        #expect(first.help(by: helper) == [], "the first is free itself")
        #expect(first.turn() == ["insert 0..<2"])
        first.gather(events(1, from: 2))
        #expect(first.help(by: helper) == [])
        first.gather(events(1, from: 3))
        #expect(first.help(by: helper) == [], "it has hardly begun")
        first.now += Committer.solitude
        #expect(first.help(by: helper) == ["insert 0..<2"])
        #expect(first.eventsInHand == 2 && helper.eventsInHand == 2)
        first.gather(events(9, from: 4))
        #expect(first.help(by: helper) == [], "the helper is busy, too")

        // Each answers for its own commit only.
        #expect(helper.succeeded() == ["count 2", "durable: 2 3"])
        #expect(first.succeeded() == ["count 2", "durable: 0 1"])
        #expect(helper.turn() == [])
    }

    @Test("the first begins no small batch beside its helper's large one")
    func besideHelper() {
        let first = DecidingCommitter.ready()
        first.gather(events(20))
        first.conditions.beside = 30
        #expect(first.turn() == [])
        first.gather(events(10, from: 20))
        #expect(first.turn() == ["insert 0..<30"])
    }

    @Test("a committer whose PostgreSQL does not answer gets no help: its events go to the spool")
    func unanswered() {
        let first = DecidingCommitter.ready()
        let helper = first.helper()
        first.gather(events(1))
        _ = first.turn()
        first.now = DecidingCommitter.spoolAfter
        #expect(first.turn() == ["keep: 0"])
        first.gather(events(1, from: 1))
        #expect(first.help(by: helper) == [] && first.turn() == ["keep: 1"])
        _ = first.lost()
        first.gather(events(1, from: 2))
        #expect(first.help(by: helper) == [] && first.turn() == ["keep: 2"])
    }

    @Test("a helper's session is lost: its events go to the spool, and the first goes on")
    func lostHelper() {
        let first = DecidingCommitter.ready()
        let helper = first.helper()
        first.gather(events(1))
        _ = first.turn()
        first.now += Committer.solitude
        first.gather(events(1, from: 1))
        #expect(first.help(by: helper) == ["insert 0..<1"])
        #expect(helper.lost() == ["tell: lost, silent", "keep: 1"])
        #expect(first.succeeded() == ["count 1", "durable: 0"])
        first.gather(events(1, from: 2))
        #expect(first.help(by: helper) == [] && first.turn() == ["insert 0..<1"])
    }

    /// Inserts of events with the message `slow` wait for the lock that a test holds.
    private static let lingering = """
        CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$;
        CREATE TRIGGER linger BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.message = 'slow')
        EXECUTE FUNCTION linger();
        """

    private func storage(connections: Int) throws -> StorageProcess {
        let settings = [
            "MESHER_SPOOL_AFTER": "4000", "MESHER_COMMIT_CONNECTIONS": "\(connections)",
            "MESHER_BULK_CONNECTIONS": "\(connections)",
        ]
        let storage = try StorageProcess(settings: settings, prepare: Self.lingering)
        let sessions =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            + "AND application_name LIKE 'mesher-storage%'"
        #expect(try eventually { try storage.value(sessions) == "\(2 * connections + 1)" })
        // They are set up one after another.
        #expect(
            try eventually {
                try storage.value("\(sessions) AND state = 'idle' AND query NOT LIKE '%mesher_make_partitions%'")
                    == "\(2 * connections + 1)"
            })
        return storage
    }

    /// The order in which two events are answered, the first of which is slow.
    ///
    /// - Parameter seconds: how long the second one's answer is waited for before the first goes on. As long as storage gives
    ///   the first, where it has to come; else a moment in which it would.
    private func order(
        _ storage: StorageProcess, _ events: [TestEvent], within seconds: Double
    ) throws -> [UInt64] {
        let gate = try storage.open()
        try gate.execute("SELECT pg_advisory_lock(1)")
        let edge = try storage.edge()
        func answered(within seconds: Double) -> [UInt64] {
            edge.next(within: seconds) { if case .stored(let entries) = $0 { entries.map(\.ticket) } else { nil } }
                ?? []
        }
        edge.send(events[0].frame)
        let waiting = """
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'
            """
        #expect(try eventually { try storage.value(waiting) == "1" })
        edge.send(events[1].frame)
        var order = answered(within: seconds)
        try gate.execute("SELECT pg_advisory_unlock(1)")
        while order.count < 2 {
            let more = answered(within: 60)
            if more.isEmpty { break }
            order += more
        }
        return order
    }

    @Test("an event does not wait for the commit before it, single or in bulks", arguments: [1, 3] as [UInt8])
    func overtakes(flags: UInt8) throws {
        let events = [
            TestEvent(ticket: 1, flags: flags, message: "slow"), TestEvent(ticket: 2, flags: flags, message: "quick"),
        ]
        let overlapping = try storage(connections: 2)
        #expect(try order(overlapping, events, within: 4) == [2, 1])
        #expect(try eventually { try overlapping.value("SELECT count(*) FROM events") == "2" })
        #expect(try order(storage(connections: 1), events, within: 0.3) == [1, 2], "with one connection it does")
    }

    @Test("the same id again waits for the commit of the first, which wins")
    func sameID() throws {
        let storage = try storage(connections: 2)
        let events = [
            TestEvent(ticket: 1, eventID: 7, message: "slow"), TestEvent(ticket: 2, eventID: 7, message: "quick"),
        ]
        #expect(try order(storage, events, within: 0.3) == [1, 2])
        #expect(try storage.value("SELECT string_agg(message, ' ') FROM events") == "slow")
    }
}
