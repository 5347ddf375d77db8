import Logging
import PostgreSQL
import Schema
import Scoreboard
import System

/// One of the ways into PostgreSQL: a committer, its connection, and what the operator is told of both.
final class CommitLane {
    var committer: Committer
    var link: DatabaseLink
    var report: CommitReport
    private var parameters = StatementParameters()
    /// What the command under way has brought so far.
    private var result = CommandResult()

    /// - Parameters:
    ///   - name: what PostgreSQL and the log call the connection.
    ///   - token: what the loop knows its descriptor by.
    ///   - isHelper: whether nothing depends on it.
    ///   - replays: whether it delivers what is in the spool.
    ///   - groupCommit: when the connections for events of its kind begin a commit.
    ///   - storedRow: what all committers know of rows that PostgreSQL takes.
    ///   - slot: where commits are counted.
    init(
        _ name: String, token: UInt64, isHelper: Bool, replays: Bool, groupCommit: GroupCommit, storedRow: StoredRow,
        _ configuration: StorageConfiguration, slot: ProcessSlot, logger: Logger
    ) {
        var logger = logger
        logger[metadataKey: "connection"] = "\(name)"
        committer = Committer(
            groupCommit: groupCommit, spoolAfter: configuration.spoolAfter,
            midnightMargin: configuration.midnightMargin, replays: replays, storedRow: storedRow)
        link = DatabaseLink(url: configuration.databaseURL, applicationName: "mesher-storage \(name)", token: token)
        report = CommitReport(logger, slot, isHelper: isHelper)
    }

    /// When the loop must take its next turn, nil for not before something happens.
    func deadline(_ conditions: CommitConditions) -> Int64? {
        [link.deadline, committer.deadline(conditions)].compactMap { $0 }.min()
    }

    /// Sends a command that an effect asks for.
    ///
    /// - Returns: why that was not possible; the connection is lost then.
    func send(
        now: Int64, _ epoll: borrowing Epoll, _ command: (inout NonBlockingConnection) throws(DatabaseError) -> Void
    ) -> DatabaseError? {
        result = CommandResult()
        let event = link.send(within: Committer.timeout, now: now, epoll, command)
        return if case .lost(let error) = event { error } else { nil }
    }

    /// Executes the prepared statement with events of the batch in hand; the same result.
    func insert(_ range: Range<Int>, columns: Int, now: Int64, _ epoll: borrowing Epoll) -> DatabaseError? {
        parameters.encode(committer.inHand.batch, range, columns: columns)
        return parameters.withParameters { parameters in
            send(now: now, epoll) { connection throws(DatabaseError) in try connection.sendExecute(parameters) }
        }
    }

    /// What has come of the command under way; nil when it is not over, or there is none.
    func nextResult() -> CommandResult? {
        while committer.isWaiting {
            switch link.nextResult() {
            case .pending: return nil
            case .rows(let rows):
                if let schema = EventSchema(rows) {
                    result.schema = schema
                } else if let found = SessionSettings.predecessors(in: rows) {
                    link.foundAbandoned(found)
                }
            case .failed(let error): result.error = error
            case .idle:
                result.abandonedSessions = link.abandoned.count
                defer { result = CommandResult() }
                return result
            }
        }
        return nil
    }
}
