import Schema
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

    /// Whether it has an event that another batch has, whatever their days.
    func hasEvent(of other: borrowing Batch) -> Bool {
        let keys = Set(other.entries.lazy.map { EventKey($0.head) })
        return entries.contains { keys.contains(EventKey($0.head)) }
    }

    private struct EventKey: Hashable {
        let project: Int64
        let eventID: UInt128

        init(_ head: RecordHead) {
            project = head.project
            eventID = head.eventID
        }
    }

    /// Forgets the events and keeps the memory, unless a burst has made it large.
    mutating func removeAll() {
        let keepsCapacity = records.capacity <= 2 * CommitPlan.statementBytes
        entries.removeAll(keepingCapacity: keepsCapacity)
        records.removeAll(keepingCapacity: keepsCapacity)
    }

    /// Puts the events in the order in which they are stored.
    mutating func sort() {
        guard entries.count > 1 else { return }
        entries = StoreOrder.positions(of: entries.map { $0.head }).map { entries[$0] }
    }

    /// How they are committed, once they are sorted.
    func plan() -> CommitPlan {
        CommitPlan(of: entries.map { ($0.head.receivedOn, $0.record.count) })
    }
}
