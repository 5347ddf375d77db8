import Logging
import Scoreboard

/// The connections for events of one kind. The first gathers what comes, and delivers the spool where that is its task. While it
/// is busy the others begin batches of what it has gathered, so that PostgreSQL executes one while it waits for the disk
/// over another.
struct CommitLanes {
    let all: [CommitLane]
    let first: CommitLane
    private let helpers: ArraySlice<CommitLane>
    private let firstToken: UInt64

    /// - Parameters:
    ///   - name: what PostgreSQL and the log call the first; the others have a number as well.
    ///   - count: how many there are.
    ///   - firstToken: what the loop knows the first one's descriptor by; the next numbers are those of the others.
    ///   - replays: whether the first delivers what is in the spool.
    init(
        _ name: String, count: Int, firstToken: UInt64, replays: Bool, storedRow: StoredRow,
        _ configuration: StorageConfiguration, slot: ProcessSlot, logger: Logger
    ) {
        let groupCommit = GroupCommit(events: configuration.commitEvents, delay: configuration.commitDelay)
        func lane(_ number: Int) -> CommitLane {
            CommitLane(
                number == 0 ? name : "\(name) \(number + 1)", token: firstToken + UInt64(number), isHelper: number > 0,
                replays: replays && number == 0, groupCommit: groupCommit, storedRow: storedRow, configuration,
                slot: slot, logger: logger)
        }
        first = lane(0)
        all = [first] + (1..<max(count, 1)).map(lane)
        helpers = all.dropFirst()
        self.firstToken = firstToken
    }

    /// The one whose descriptor has this token.
    subscript(_ token: UInt64) -> CommitLane? {
        guard token >= firstToken, token - firstToken < UInt64(all.count) else { return nil }
        return all[Int(token - firstToken)]
    }

    /// The events that wait for their answer.
    var eventsInHand: Int { all.reduce(0) { $0 + $1.committer.eventsInHand } }

    /// Whether this helper could begin a batch of what the first one has gathered.
    func isHelper(_ lane: CommitLane, now: Int64) -> Bool {
        lane !== first && lane.committer.isFree && (first.committer.wantsHelpFrom ?? .max) <= now
    }

    /// How many events the others are committing; `.max` when one of these was gathered again.
    func beside(_ lane: CommitLane) -> Int {
        if helpers.isEmpty || first.committer.gathering.isEmpty { return 0 }
        var events = 0
        for other in all where other !== lane { events += other.committer.inHand.waiting }
        guard events > 0, events <= first.committer.gathering.count else { return events }
        for other in all where other !== lane && other.committer.inHand.waiting > 0 {
            if first.committer.gathering.hasEvent(of: other.committer.inHand.batch) { return .max }
        }
        return events
    }

    /// When the loop must take its next turn for them, nil for not before something happens.
    ///
    /// - Parameter connects: whether the others may connect now.
    func deadline(_ conditions: CommitConditions, connects: Bool) -> Int64? {
        var conditions = conditions
        conditions.beside = beside(first)
        var deadlines = [first.deadline(conditions)]
        for helper in helpers {
            deadlines.append(connects || !helper.link.isAway ? helper.deadline(conditions) : nil)
        }
        if let from = first.committer.wantsHelpFrom, let helper = helpers.first(where: { $0.committer.isFree }) {
            // What it is beside is looked at when it may begin.
            let isLate = from <= conditions.now
            deadlines.append(
                isLate ? first.committer.gathering.beginning(now: conditions.now, beside: beside(helper)) : from)
        }
        return deadlines.compactMap { $0 }.min()
    }
}
