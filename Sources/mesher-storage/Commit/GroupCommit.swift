/// When a commit begins: at once while events come singly, otherwise as soon as enough of them wait or the first has
/// waited long enough. Large batches make a commit cheap; a lone event must not pay for them.
struct GroupCommit {
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
    func beginning(waiting: Int, first: Int64, now: Int64) -> Int64 {
        guard waiting < events, sizeOfLast > 1, let endOfLast, first - endOfLast < Self.flow else { return now }
        return first + delay
    }

    /// A commit of this many events has ended.
    mutating func ended(size: Int, now: Int64) {
        sizeOfLast = size
        endOfLast = now
    }
}
