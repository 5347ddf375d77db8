import PostgreSQL
import Schema
import StorageChannel

@testable import Spool
@testable import mesher_storage

/// A committer for itself: no PostgreSQL, no disk, and a clock that the test sets. What it returns is put into words.
final class DecidingCommitter {
    static let spoolAfter: Int64 = 1_000_000_000
    static let delay: Int64 = 500_000

    var committer: Committer
    let storedRow = StoredRow()
    /// Noon of the day of the tests' events.
    var conditions = CommitConditions(
        now: 0, wall: (Int64(TestEvent.today) * 2 + 1) * EventRecord.day / 2 + EventRecord.epochOffset, canKeep: true)

    let groupCommit: GroupCommit

    init(replays: Bool = false, groupCommit: GroupCommit = GroupCommit(events: 16, delay: DecidingCommitter.delay)) {
        self.groupCommit = groupCommit
        committer = Committer(
            groupCommit: groupCommit, spoolAfter: Self.spoolAfter,
            midnightMargin: 300_000_000, replays: replays, storedRow: storedRow)
    }

    /// One whose session takes events.
    static func ready(replays: Bool = false) -> DecidingCommitter {
        let deciding = DecidingCommitter(replays: replays)
        deciding.connect()
        return deciding
    }

    /// One for events of the same kind, whose session takes them.
    func helper() -> DecidingCommitter {
        let helper = DecidingCommitter(groupCommit: groupCommit)
        helper.conditions = conditions
        helper.connect()
        return helper
    }

    private func connect() {
        let deciding = self
        _ = deciding.connected()
        _ = deciding.succeeded()
        _ = deciding.succeeded()
        _ = deciding.succeeded()
    }

    /// At the end of a turn: another one helps this one.
    func help(by helper: DecidingCommitter) -> [String] {
        helper.conditions = conditions
        helper.conditions.beside = committer.inHand.waiting
        return helper.committer.help(&committer, helper.conditions).map(\.words)
    }

    var now: Int64 {
        get { conditions.now }
        set { conditions.now = newValue }
    }

    func gather(_ events: TestEvent...) { gather(events) }

    func gather(_ events: [TestEvent]) {
        for event in events {
            event.content().withUnsafeBytes { content in
                guard let received = ReceivedEvent(content) else { return }
                _ = committer.gather(received, edge: 16, now: now)
            }
        }
    }

    func connected() -> [String] { committer.connected(ending: []).map(\.words) }

    /// The end of a turn of the loop.
    func turn() -> [String] {
        let overdue = committer.keepOverdue(conditions)
        return (overdue + committer.turn(conditions)).map(\.words)
    }

    /// The command under way was carried out by a database with the latest schema.
    func succeeded(abandonedSessions: Int = 0) -> [String] {
        var schema = EventSchema()
        schema.hasClaims = true
        return completed(CommandResult(schema: schema, abandonedSessions: abandonedSessions))
    }

    func failed(_ sqlState: String) -> [String] {
        completed(CommandResult(error: DatabaseError(operation: "execute", sqlState: sqlState, message: sqlState)))
    }

    func completed(_ result: CommandResult) -> [String] {
        committer.completed(result, conditions).map(\.words)
    }

    static let silence = DatabaseError(operation: "execute", message: "silent", isConnectionLost: true)

    func lost() -> [String] { committer.lost(Self.silence).map(\.words) }

    /// Hands over a part of the spool.
    func deliver(
        _ events: [TestEvent], suspicion: CommitPlan.Suspicion? = nil, failures: Int = 0, projects: Set<Int64> = [1]
    ) -> [String] {
        var piece = SegmentFile.Piece(range: 0..<1)
        for event in events {
            let record = event.elements.flatMap { $0 }
            piece.records.append(piece.bytes.count..<piece.bytes.count + record.count)
            piece.bytes += record
        }
        var known = KnownProjects()
        known.replaceAll(projects, strangers: [])
        let replay = Replay(
            piece: SpooledPiece(segment: 1, content: piece), projects: known, suspicion: suspicion,
            loss: suspicion == nil ? nil : Self.silence, failures: failures)
        return committer.deliver(replay, conditions).map(\.words)
    }

    var deadline: Int64? { committer.deadline(conditions) }
    var accepts: Bool { committer.accepts }
    var isSettled: Bool { committer.isSettled }
    var gathers: Bool { committer.gathers }
    var isWaiting: Bool { committer.isWaiting }
    var hasEvents: Bool { committer.eventsInHand > 0 }
    var eventsInHand: Int { committer.eventsInHand }
}

extension CommitEffect {
    /// The events by their tickets, an error by its SQLSTATE or else its message.
    var words: String {
        switch self {
        case .send(let sql):
            if sql.hasPrefix("DO $mesher$") {
                "send: another row"
            } else if sql.contains("set_config") {
                "send: settings"
            } else if sql.contains("event_columns") {
                "send: partitions, and what there is"
            } else {
                "send: partitions"
            }
        case .prepare(let sql, _): sql.contains("claimed") ? "prepare with claims" : "prepare"
        case .insert(let range, _): "insert \(range)"
        case .close(let error): "close: \(error.message)"
        case .confirm: "confirm"
        case .answer(let answer): "\(answer.result): \(Self.tickets(answer.entries))"
        case .keep(let batch, let ranges): "keep: \(Self.tickets(ranges.flatMap { batch.entries[$0] }[...]))"
        case .setAside(let items, let waiting):
            "set aside: \(Self.tickets(waiting[...])) by \(items.map { $0.sqlState ?? "none" }.joined(separator: " "))"
        case .readSpool: "read the spool"
        case .delivered(_, let items): "delivered, set aside: \(items.count)"
        case .deliveryFailed(let loss, let events): "not delivered: \(events)\(loss == nil ? "" : ", a session lost")"
        case .count(let events, _): "count \(events)"
        case .report(let news): "tell: \(news.words)"
        }
    }

    private static func tickets(_ entries: ArraySlice<Batch.Entry>) -> String {
        entries.map { "\($0.ticket)" }.joined(separator: " ")
    }
}

extension CommitReport.News {
    fileprivate var words: String {
        switch self {
        case .connected: "connected"
        case .lost(let error): "lost, \(error.message)"
        case .partitionsMade: "partitions"
        case .partitionsMissing: "no partitions"
        case .columnsMissing(let names): names.isEmpty ? "all columns" : "columns missing"
        case .notStored(let error, let events): "not stored, \(error.message), \(events.count)"
        }
    }
}
