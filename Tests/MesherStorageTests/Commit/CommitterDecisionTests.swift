import Schema
import StorageChannel
import Testing

@testable import mesher_storage

/// What a committer decides about a session and the events for it.
@Suite struct CommitterDecisionTests {
    private func events(_ count: Int, from first: Int = 0) -> [TestEvent] {
        // Ids in the order of the tickets, in which they are stored.
        (first..<first + count).map { TestEvent(ticket: UInt64($0), eventID: UInt128($0 + 1)) }
    }

    /// One whose statement with events 0, 1, … is under way.
    private func inserting(_ count: Int) -> DecidingCommitter {
        let deciding = DecidingCommitter.ready()
        deciding.gather(events(count))
        #expect(deciding.turn() == ["insert 0..<\(count)"])
        return deciding
    }

    @Test("a session is set up before it takes events, which wait meanwhile")
    func setUp() {
        let deciding = DecidingCommitter()
        deciding.gather(events(1))
        #expect(deciding.turn() == [])
        #expect(deciding.connected() == ["send: settings"])
        #expect(deciding.turn() == [] && !deciding.isSettled)
        #expect(deciding.succeeded() == ["send: partitions"])
        #expect(deciding.succeeded() == ["tell: partitions", "tell: all columns", "prepare"])
        #expect(!deciding.accepts)
        #expect(deciding.succeeded() == ["confirm", "tell: connected"])
        #expect(deciding.accepts && deciding.turn() == ["insert 0..<1"])
        #expect(deciding.succeeded() == ["count 1", "durable: 0"])
    }

    @Test("a session that cannot be set up is closed; where partitions cannot be made it is not")
    func setUpFails() {
        let deciding = DecidingCommitter()
        _ = deciding.connected()
        #expect(deciding.failed("42501") == ["close: 42501", "tell: lost, 42501"])
        _ = deciding.connected()
        _ = deciding.succeeded()
        #expect(deciding.failed("42883") == ["tell: no partitions", "tell: all columns", "prepare"])
        #expect(deciding.failed("42P01") == ["close: 42P01", "tell: lost, 42P01"])
        #expect(deciding.isSettled && !deciding.accepts && !deciding.gathers)
    }

    @Test("while two sessions that were given up still run, a third one gets nothing to do")
    func abandoned() {
        let deciding = DecidingCommitter()
        _ = deciding.connected()
        #expect(deciding.succeeded(abandonedSessions: 1) == ["send: partitions"])
        _ = deciding.lost()
        _ = deciding.connected()
        #expect(deciding.succeeded(abandonedSessions: 2).first?.hasPrefix("close: 2 sessions") == true)
    }

    @Test("what comes while a statement is under way is one batch after it, and waits for more as long as events flow")
    func grouping() {
        let deciding = inserting(2)
        deciding.gather(events(3, from: 2))
        #expect(deciding.turn() == [])
        #expect(deciding.succeeded() == ["count 2", "durable: 0 1"])
        #expect(deciding.turn() == [] && deciding.deadline == DecidingCommitter.delay)
        deciding.now = DecidingCommitter.delay
        #expect(deciding.turn() == ["insert 0..<3"])
        #expect(deciding.eventsInHand == 3)
        #expect(deciding.succeeded() == ["count 3", "durable: 2 3 4"])
        deciding.gather(events(16, from: 5))
        #expect(deciding.turn() == ["insert 0..<16"], "so many wait for nothing")
    }

    @Test("a stop waits for nothing more")
    func stopping() {
        let deciding = inserting(2)
        deciding.gather(events(1, from: 2))
        _ = deciding.succeeded()
        #expect(deciding.turn() == [])
        deciding.conditions.isStopping = true
        #expect(deciding.turn() == ["insert 0..<1"])
    }

    @Test("events of another day, or near a midnight, have their own statement parsed first")
    func forms() {
        let deciding = DecidingCommitter.ready()
        var event = TestEvent(ticket: 1)
        event.day += 1
        deciding.gather(event)
        #expect(deciding.turn() == ["prepare"])
        #expect(deciding.succeeded() == [] && deciding.turn() == ["insert 0..<1"])
        _ = deciding.succeeded()
        event.time = Int64(event.day) * EventRecord.day
        deciding.gather(event)
        #expect(deciding.turn() == ["prepare with claims"])
    }

    @Test("a database without claims is asked for none")
    func withoutClaims() {
        let older = DecidingCommitter()
        for _ in 0..<4 { _ = older.isWaiting ? older.completed(CommandResult()) : older.connected() }
        older.gather(TestEvent(ticket: 1, time: Int64(TestEvent.today) * EventRecord.day))
        #expect(older.turn() == ["insert 0..<1"])
    }

    /// What follows when the statement of two events fails.
    @Test(
        "what a SQLSTATE does",
        arguments: [
            ("23514", ["send: partitions"]),
            ("22P02", ["insert 0..<1"]), ("23505", ["insert 0..<1"]), ("54000", ["insert 0..<1"]),
            ("P0001", ["insert 0..<1"]),
            ("40001", []), ("40P01", []), ("55P03", []),
            ("53100", ["tell: not stored, 53100, 2", "keep: 0 1"]),
            ("57014", ["tell: not stored, 57014, 2", "keep: 0 1"]),
            ("XX000", ["tell: not stored, XX000, 2", "keep: 0 1"]),
            ("25006", ["tell: not stored, 25006, 2", "keep: 0 1", "close: 25006", "tell: lost, 25006"]),
            ("42P01", ["tell: not stored, 42P01, 2", "keep: 0 1", "close: 42P01", "tell: lost, 42P01"]),
        ])
    func states(sqlState: String, effects: [String]) {
        let deciding = inserting(2)
        #expect(deciding.failed(sqlState) == effects)
    }

    @Test("a statement that others block is tried again after pauses, and then goes to the spool")
    func transient() {
        let deciding = inserting(1)
        for attempt in 1..<CommitPlan.attempts {
            #expect(deciding.failed("40001") == [] && deciding.turn() == [])
            #expect(deciding.deadline == deciding.now + CommitPlan.firstPause << (attempt - 1))
            deciding.now = deciding.deadline ?? 0
            #expect(deciding.turn() == ["insert 0..<1"])
        }
        #expect(deciding.failed("40001") == ["tell: not stored, 40001, 1", "keep: 0"])
        #expect(deciding.accepts && !deciding.hasEvents)
    }

    @Test("a lost session leaves what was under way to the spool, and what is gathered until it would begin")
    func lost() {
        let deciding = inserting(2)
        deciding.gather(events(1, from: 2))
        #expect(deciding.lost() == ["tell: lost, silent", "keep: 0 1"])
        #expect(deciding.turn() == ["keep: 2"])
        deciding.conditions.canKeep = false
        deciding.gather(events(1, from: 3))
        #expect(deciding.turn() == ["keep: 3"], "which refuses it")
    }
}
