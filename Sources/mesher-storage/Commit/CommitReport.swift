import Logging
import PostgreSQL
import Schema
import Scoreboard
import StorageChannel
import System

/// What the operator is told about commits, in the log and the scoreboard: each reason why PostgreSQL takes nothing once, and
/// again each hour; of events that could not be stored one line a second with the number of those that had none.
struct CommitReport {
    /// What a committer has to say.
    enum News {
        /// PostgreSQL takes rows.
        case connected
        case lost(DatabaseError)
        case partitionsMade
        case partitionsMissing(DatabaseError)
        /// The columns that the database lacks.
        case columnsMissing([String])
        case notStored(DatabaseError, ArraySlice<Batch.Entry>)
    }

    private static let interval: Int64 = 1_000_000_000

    private let logger: Logger
    private let slot: ProcessSlot
    private let isHelper: Bool
    private var losses = ToldReasons()
    private var missingPartitions = ToldReasons()
    private var missingColumns = ToldReasons()
    private var quietUntil: Int64 = .min
    private var unreported = 0

    /// - Parameter isHelper: whether PostgreSQL takes events over other connections without it.
    init(_ logger: Logger, _ slot: ProcessSlot, isHelper: Bool = false) {
        self.logger = logger
        self.slot = slot
        self.isHelper = isHelper
    }

    mutating func tell(_ news: News, now: Int64) {
        switch news {
        case .connected: connected()
        case .lost(let error): lost(error, now: now)
        case .partitionsMade: partitionsMade()
        case .partitionsMissing(let error): partitionsMissing(error, now: now)
        case .columnsMissing(let names): columnsMissing(names, now: now)
        case .notStored(let error, let events): notStored(error, events, now: now)
        }
    }

    /// - Parameter duration: nanoseconds from sending the statement to its result.
    func committed(events: Int, duration: Int64) {
        slot.countCommit(events: events, duration: duration, wall: Clock.wall())
    }

    /// The partitions of the coming days are there.
    mutating func partitionsMade(wall: Int64 = Clock.wall()) {
        missingPartitions.end()
        slot.setLastPartition(day: PartitionStatement.lastDay(wall: wall))
    }

    mutating func connected() {
        losses.end()
        if !isHelper { logger.info("PostgreSQL takes events") }
    }

    mutating func lost(_ error: DatabaseError, now: Int64) {
        guard losses.tells("\(error)", now: now) else { return }
        if isHelper {
            logger.warning("one connection to PostgreSQL fewer", metadata: ["reason": "\(error)"])
        } else {
            logger.error("PostgreSQL does not take events", metadata: ["reason": "\(error)"])
        }
    }

    mutating func partitionsMissing(_ error: DatabaseError, now: Int64) {
        guard missingPartitions.tells("\(error)", now: now) else { return }
        logger.warning("partitions could not be created", metadata: ["reason": "\(error)"])
    }

    /// The schema is that of an older release.
    ///
    /// - Parameter names: the columns that it lacks.
    mutating func columnsMissing(_ names: [String], now: Int64) {
        guard !names.isEmpty else {
            if !missingColumns.isEmpty { logger.notice("the schema has all columns") }
            return missingColumns.end()
        }
        guard missingColumns.tells("", now: now) else { return }
        logger.warning(
            "the schema is that of an older release, run mesher db migrate: events are stored without some columns",
            metadata: ["columns": "\(names.joined(separator: ","))"])
    }

    /// The message is left out: PostgreSQL may quote a value in it.
    mutating func notStored(_ error: DatabaseError, _ events: ArraySlice<Batch.Entry>, now: Int64) {
        guard now >= quietUntil else {
            unreported += events.count
            return
        }
        quietUntil = now + Self.interval
        let state = error.sqlState ?? "none"
        var metadata: Logger.Metadata = ["sqlstate": "\(state)", "events": "\(events.count)"]
        if events.count == 1, let event = events.first { metadata["project"] = "\(event.head.project)" }
        if unreported > 0 { metadata["unreported"] = "\(unreported)" }
        unreported = 0
        logger.error("events not stored", metadata: metadata)
    }
}
