import StorageChannel

/// Events that wait for the same commit: their records, one after another, and the edge that waits for each.
struct Batch {
    struct Entry {
        let ticket: UInt64
        /// The edge that waits for the answer.
        let edge: UInt64
        let head: RecordHead
        /// Where its record is in `records`.
        let record: Range<Int>
    }

    /// Maximum events and bytes per statement, except for a single larger event. With 1 MiB, and therefore more commits
    /// for large bodies, small events beside them had two thirds of their rate.
    static let statementEvents = 1_000
    static let statementBytes = 8 << 20

    private(set) var entries: [Entry] = []
    private(set) var records: [UInt8] = []

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }

    mutating func append(_ event: ReceivedEvent, edge: UInt64) {
        let start = records.count
        records.append(contentsOf: event.record)
        entries.append(
            Entry(ticket: event.ticket, edge: edge, head: event.head, record: start..<records.count))
    }

    /// Appends an event that nobody waits for.
    mutating func append(_ record: UnsafeRawBufferPointer, _ head: RecordHead) {
        let start = records.count
        records.append(contentsOf: record)
        entries.append(Entry(ticket: 0, edge: 0, head: head, record: start..<records.count))
    }

    /// Calls `body` with the record of an event.
    func withRecord<Result>(_ position: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        records.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[entries[position].record])) }
    }

    /// Forgets the events and keeps the memory, unless a burst has made it large.
    mutating func removeAll() {
        let keepsCapacity = records.capacity <= 2 * Self.statementBytes
        entries.removeAll(keepingCapacity: keepsCapacity)
        records.removeAll(keepingCapacity: keepsCapacity)
    }

    /// Sorts the events by day, project and id; events with the same id stay in order of receipt.
    ///
    /// Two hosts that store the same ids then lock them in the same order, and cannot deadlock.
    mutating func sort() {
        entries.sort { one, other in
            (one.head.receivedOn, one.head.project, one.head.eventID, one.record.lowerBound)
                < (other.head.receivedOn, other.head.project, other.head.eventID, other.record.lowerBound)
        }
    }

    /// The events in runs that one statement can carry: each is for one day.
    func statementRanges() -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        var bytes = 0
        for (position, entry) in entries.enumerated() {
            bytes += entry.record.count
            let isFull = position - start == Self.statementEvents || bytes > Self.statementBytes
            if position > start, isFull || entry.head.receivedOn != entries[start].head.receivedOn {
                ranges.append(start..<position)
                start = position
                bytes = entry.record.count
            }
        }
        if start < entries.count { ranges.append(start..<entries.count) }
        return ranges
    }
}
