import Schema
import StorageChannel
import Testing

@testable import mesher_storage

/// What a committer decides when something takes long, and which event it blames.
@Suite struct CommitterDeadlineTests {
    private let spoolAfter = DecidingCommitter.spoolAfter

    private func events(_ count: Int, from first: Int = 0) -> [TestEvent] {
        (first..<first + count).map { TestEvent(ticket: UInt64($0), eventID: UInt128($0 + 1)) }
    }

    private func inserting(_ count: Int) -> DecidingCommitter {
        let deciding = DecidingCommitter.ready()
        deciding.gather(events(count))
        #expect(deciding.turn() == ["insert 0..<\(count)"])
        return deciding
    }

    // MARK: Deadlines

    @Test("what is not committed in time goes to the spool, and nobody is told again when it is committed after all")
    func overdue() {
        let deciding = inserting(2)
        deciding.now = 1
        deciding.gather(events(1, from: 2))
        #expect(deciding.deadline == spoolAfter)
        deciding.now = spoolAfter - 1
        #expect(deciding.turn() == [])
        deciding.now = spoolAfter
        #expect(deciding.turn() == ["keep: 0 1", "keep: 2"], "PostgreSQL is known not to answer")
        #expect(!deciding.hasEvents)
        #expect(deciding.succeeded() == ["count 2"])
        #expect(deciding.turn() == [])
    }

    @Test(
        "once events are in the spool nothing that comes of their statement matters",
        arguments: ["23514", "22P02", "40001", "53100"])
    func overdueAndFailed(sqlState: String) {
        let deciding = inserting(2)
        deciding.now = spoolAfter
        #expect(deciding.turn() == ["keep: 0 1"])
        #expect(deciding.failed(sqlState) == [])
        deciding.gather(events(1, from: 2))
        #expect(deciding.turn() == ["insert 0..<1"])
    }

    @Test("once events are in the spool a lost session does not put them there again")
    func overdueAndLost() {
        let deciding = inserting(2)
        deciding.now = spoolAfter
        _ = deciding.turn()
        #expect(deciding.lost() == ["tell: lost, silent"])
    }

    @Test("what waits behind a long statement goes to the spool when its own time is over")
    func gathered() {
        let deciding = DecidingCommitter()
        deciding.now = 5
        deciding.gather(events(1))
        #expect(deciding.deadline == 5 + spoolAfter)
        deciding.now = 5 + spoolAfter
        #expect(deciding.turn() == ["keep: 0"])
    }

    @Test("without a spool events wait as long as the session lives")
    func withoutSpool() {
        let deciding = inserting(2)
        deciding.conditions.canKeep = false
        deciding.gather(events(1, from: 2))
        deciding.now = 4 * spoolAfter
        #expect(deciding.deadline == nil)
        #expect(deciding.turn() == [])
        #expect(deciding.lost() == ["tell: lost, silent", "keep: 0 1"])
        #expect(deciding.turn() == ["keep: 2"], "the keeper refuses them")
    }

    // MARK: Blame

    @Test("of a batch only the refused event is set aside, after another row was taken; all are answered once")
    func division() {
        let deciding = inserting(4)
        #expect(deciding.failed("22P02") == ["insert 0..<2"])
        #expect(deciding.failed("22P02") == ["insert 0..<1"])
        #expect(deciding.succeeded() == ["count 1", "durable: 0", "insert 1..<2"])
        #expect(deciding.failed("22P02") == ["send: another row"])
        #expect(deciding.succeeded() == ["prepare"], "the row took the statement's place")
        #expect(deciding.succeeded() == [] && deciding.turn() == ["insert 1..<2"], "what refused it may have ended")
        #expect(deciding.failed("22P02") == ["insert 2..<4"])
        #expect(deciding.succeeded() == ["count 2", "durable: 2 3", "set aside: 1 by 22P02"])
        #expect(deciding.accepts && !deciding.hasEvents)
    }

    @Test("where PostgreSQL refuses another row alike no event is blamed, and none is accepted until it takes one")
    func refusesAll() {
        let deciding = inserting(1)
        _ = deciding.succeeded()
        deciding.gather(events(1, from: 1))
        _ = deciding.turn()
        #expect(deciding.failed("54000") == ["send: another row"])
        #expect(deciding.failed("54000") == ["close: 54000", "tell: lost, 54000", "keep: 1"])
        _ = deciding.connected()
        _ = deciding.succeeded()
        _ = deciding.succeeded()
        #expect(deciding.succeeded() == [] && !deciding.accepts)
        #expect(deciding.turn() == ["send: another row"])
        #expect(deciding.failed("54000") == ["close: 54000", "tell: lost, 54000"])
        for _ in 0..<4 { _ = deciding.isWaiting ? deciding.succeeded() : deciding.connected() }
        #expect(deciding.turn() == ["send: another row"])
        #expect(deciding.succeeded() == ["confirm", "tell: connected"])
        #expect(deciding.accepts)
    }

    @Test("another row that is refused with another code speaks for PostgreSQL, which minds what is in a row")
    func pickyRow() {
        let deciding = inserting(1)
        #expect(deciding.failed("23514") == ["send: partitions"])
        #expect(deciding.succeeded() == ["prepare"])
        _ = deciding.succeeded()
        #expect(deciding.turn() == ["insert 0..<1"])
        #expect(deciding.failed("23514") == ["send: another row"])
        #expect(deciding.failed("23502") == ["prepare"])
        _ = deciding.succeeded()
        _ = deciding.turn()
        #expect(deciding.failed("23514") == ["set aside: 0 by 23514"])
    }

    @Test("partitions that cannot be made now are no event's fault")
    func noPartition() {
        let deciding = inserting(1)
        _ = deciding.failed("23514")
        #expect(deciding.failed("55P03") == ["tell: no partitions", "prepare"])
        _ = deciding.succeeded()
        _ = deciding.turn()
        #expect(deciding.failed("23514") == ["tell: not stored, 23514, 1", "keep: 0"])
    }

    // MARK: Maintenance

    @Test("partitions of the coming days are made each hour, and a minute after that has failed")
    func maintenance() {
        let (minute, hour): (Int64, Int64) = (60_000_000_000, 3_600_000_000_000)
        let deciding = DecidingCommitter.ready()
        #expect(deciding.deadline == hour)
        deciding.now = hour
        #expect(deciding.turn() == ["send: partitions, and what there is"])
        #expect(deciding.accepts, "events wait for that as for a statement")
        #expect(deciding.failed("55P03") == ["tell: no partitions", "tell: all columns"])
        #expect(deciding.deadline == hour + minute)
        deciding.now = hour + minute
        _ = deciding.turn()
        #expect(deciding.succeeded() == ["tell: partitions", "tell: all columns"])
        #expect(deciding.deadline == 2 * hour + minute)
    }

    @Test("a schema of an older release is looked at again each minute, also one that only lacks the claims")
    func olderSchema() {
        var older = EventSchema()
        older.hasClaims = true
        older.columns -= 1
        for schema in [older, EventSchema()] {
            let deciding = DecidingCommitter()
            _ = deciding.connected()
            _ = deciding.completed(CommandResult(schema: schema))
            _ = deciding.completed(CommandResult())
            _ = deciding.completed(CommandResult())
            #expect(deciding.deadline == 60_000_000_000)
        }
    }
}
