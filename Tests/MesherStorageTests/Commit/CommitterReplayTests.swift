import PostgreSQL
import Schema
import StorageChannel
import Testing

@testable import mesher_storage

/// What a committer decides about parts of the spool.
@Suite struct CommitterReplayTests {
    private func events(_ count: Int) -> [TestEvent] {
        (0..<count).map { TestEvent(ticket: UInt64($0), eventID: UInt128($0 + 1)) }
    }

    /// One that has begun to read a part of the spool.
    private func reading() -> DecidingCommitter {
        let deciding = DecidingCommitter.ready(replays: true)
        deciding.conditions.nextReplay = 0
        #expect(deciding.turn() == ["read the spool"])
        return deciding
    }

    @Test("the spool is read when it is due, between batches, by the committer whose work that is")
    func due() {
        let deciding = DecidingCommitter.ready(replays: true)
        deciding.conditions.nextReplay = 5
        #expect(deciding.turn() == [] && deciding.deadline == 5)
        deciding.now = 5
        #expect(deciding.turn() == ["read the spool"])
        #expect(deciding.deliver(events(2)) == ["insert 0..<2"])
        #expect(deciding.turn() == [])
        #expect(deciding.succeeded() == ["count 2", "delivered, set aside: 0"])
        deciding.conditions.isStopping = true
        #expect(deciding.turn() == [])

        let other = DecidingCommitter.ready()
        other.conditions.nextReplay = 0
        #expect(other.turn() == [] && other.deadline != 0)
    }

    @Test("where there is nothing to deliver after all, what is gathered is next")
    func nothing() {
        let deciding = DecidingCommitter.ready(replays: true)
        deciding.conditions.nextReplay = 0
        deciding.gather(events(1))
        #expect(deciding.turn() == ["read the spool"])
        #expect(deciding.committer.deliver(nil, deciding.conditions).map(\.words) == ["insert 0..<1"])
    }

    @Test("events of projects that the database does not have are set aside, and the others stored")
    func missingProject() {
        let deciding = reading()
        var sent = events(2)
        sent[0].project = 2
        #expect(deciding.deliver(sent) == ["insert 0..<1"])
        #expect(deciding.succeeded() == ["count 1", "delivered, set aside: 1"])
        _ = deciding.turn()
        #expect(deciding.deliver(sent, projects: []) == ["delivered, set aside: 2"])
    }

    @Test("what PostgreSQL does not take now stays in the spool, however long it takes, and goes nowhere else")
    func unstored() {
        let deciding = reading()
        _ = deciding.deliver(events(2))
        deciding.now = 2 * DecidingCommitter.spoolAfter
        #expect(deciding.turn() == [] && deciding.deadline == nil)
        #expect(deciding.failed("53100") == ["tell: not stored, 53100, 2", "not delivered: 2"])
    }

    @Test("a part that PostgreSQL answers three times with an internal error is divided", arguments: [2, 3])
    func internalError(failures: Int) {
        let deciding = reading()
        _ = deciding.deliver(events(2), failures: failures)
        #expect(deciding.failed("XX000").first == (failures < 3 ? "tell: not stored, XX000, 2" : "insert 0..<1"))
    }

    @Test("a session that is lost over its events counts against them, unless somebody has ended it")
    func loss() {
        var deciding = reading()
        _ = deciding.deliver(events(2))
        #expect(deciding.lost() == ["tell: lost, silent", "not delivered: 2, a session lost"])
        deciding = reading()
        _ = deciding.deliver(events(2))
        let ended = DatabaseError(operation: "execute", sqlState: "57P01", message: "ended", isConnectionLost: true)
        #expect(
            deciding.completed(CommandResult(error: ended)) == [
                "close: ended", "tell: lost, ended", "not delivered: 2",
            ])
        deciding = reading()
        _ = deciding.deliver(events(2))
        _ = deciding.failed("23514")
        #expect(deciding.lost() == ["tell: lost, silent", "not delivered: 2"], "while partitions were made")
    }

    @Test("an event that has cost sessions is tried only after another row, and at last set aside without that")
    func costly() {
        let deciding = reading()
        #expect(deciding.deliver(events(1), suspicion: .tried) == ["send: another row"])
        #expect(deciding.succeeded() == ["prepare"])
        _ = deciding.succeeded()
        #expect(deciding.turn() == ["insert 0..<1"])
        #expect(deciding.succeeded() == ["count 1", "delivered, set aside: 0"])
        _ = deciding.turn()
        #expect(deciding.deliver(events(1), suspicion: .refused) == ["send: another row"])
        #expect(deciding.succeeded() == ["delivered, set aside: 1"])
    }

    @Test("it is not blamed while PostgreSQL answers to no other row either")
    func hangs() {
        let deciding = reading()
        _ = deciding.deliver(events(1), suspicion: .refused)
        #expect(deciding.lost() == ["tell: lost, silent", "not delivered: 1"])
    }
}
