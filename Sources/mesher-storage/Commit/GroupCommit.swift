/// When a commit begins: at once while events come singly, otherwise as soon as enough of them wait or the first has
/// waited long enough. Large batches make a commit cheap; a lone event must not pay for them. All connections for events of
/// one kind have it in common.
///
/// Beside a commit of another connection it begins once as many wait as that one has: with many senders the events of half
/// of them are executed while the others wait for the disk.
final class GroupCommit {
    /// Nanoseconds without events after which the next one no longer counts as flowing.
    static let flow: Int64 = 5_000_000

    private let events: Int
    private let delay: Int64
    private var endOfLast: Int64?
    private var sizeOfLast = 0

    /// - Parameters:
    ///   - events: how many waiting events begin a commit.
    ///   - delay: the nanoseconds after which the first waiting event begins one.
    init(events: Int, delay: Int64) {
        self.events = events
        self.delay = delay
    }

    /// The moment at which the next commit begins, if nothing more comes.
    ///
    /// - Parameters:
    ///   - waiting: how many events wait, at least one.
    ///   - first: when the first of them was received.
    ///   - others: how many are being committed by other connections.
    /// - Returns: `.max` for not before one of those has ended.
    func beginning(waiting: Int, first: Int64, now: Int64, beside others: Int = 0) -> Int64 {
        guard waiting >= others else { return .max }
        guard waiting < events, sizeOfLast > 1, let endOfLast, first - endOfLast < Self.flow else { return now }
        return first + delay
    }

    /// A commit of this many events has ended.
    func ended(size: Int, now: Int64) {
        sizeOfLast = size
        endOfLast = now
    }
}
