import Schema
import StorageChannel
import Testing

@testable import mesher_storage

extension Batch {
    mutating func append(_ event: TestEvent, edge: UInt64 = 16) {
        event.content().withUnsafeBytes { content in
            if let received = ReceivedEvent(content) { append(received, edge: edge) }
        }
    }
}

@Suite struct BatchTests {
    @Test("an event keeps who waits for it and its record")
    func entries() {
        var batch = Batch()
        batch.append(TestEvent(ticket: 1), edge: 16)
        let second = TestEvent(ticket: 2, project: 5)
        batch.append(second, edge: 17)
        #expect(batch.count == 2)
        #expect(batch.entries[1].ticket == 2)
        #expect(batch.entries[1].edge == 17)
        #expect(batch.entries[1].head.project == 5)
        #expect(Array(batch.records[batch.entries[1].record]) == second.elements.flatMap { $0 })
    }

    @Test("no statement gets more than a thousand events")
    func eventLimit() {
        var batch = Batch()
        for _ in 0..<2_001 { batch.append(TestEvent()) }
        #expect(batch.plan().undecided == [0..<1_000, 1_000..<2_000, 2_000..<2_001])
    }

    @Test("no statement gets more than 8 MiB, except for a single event")
    func byteLimit() {
        var batch = Batch()
        let large = TestEvent(payload: String(repeating: "x", count: 3 << 20))
        for _ in 0..<3 { batch.append(large) }
        #expect(batch.plan().undecided == [0..<2, 2..<3])
    }

    @Test("each statement is for the events of one day")
    func days() {
        var batch = Batch()
        for day: Int32 in [10, 10, 11, 10] { batch.append(TestEvent(day: day)) }
        #expect(batch.plan().undecided == [0..<2, 2..<3, 3..<4])
    }

    @Test("sorted events are in the order of day, project and id, and of their receipt where these are the same")
    func sort() {
        var batch = Batch()
        let events: [(project: Int64, id: UInt128, day: Int32)] = [
            (2, 1, 10), (1, 9, 10), (1, .max, 9), (1, 3, 10), (2, 0, 10), (1, 9, 10),
        ]
        for (ticket, event) in events.enumerated() {
            batch.append(
                TestEvent(ticket: UInt64(ticket), project: event.project, eventID: event.id, day: event.day))
        }
        batch.sort()
        #expect(batch.entries.map(\.ticket) == [2, 3, 1, 5, 4, 0])
        for (position, entry) in batch.entries.enumerated() {
            #expect(batch.withRecord(position) { RecordHead($0) } == entry.head)
        }
    }

    @Test("an empty batch needs no statement")
    func empty() {
        var batch = Batch()
        #expect(batch.plan().undecided.isEmpty)
        batch.append(TestEvent())
        batch.removeAll()
        #expect(batch.isEmpty && batch.records.isEmpty)
    }
}
