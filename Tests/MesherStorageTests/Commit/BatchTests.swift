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
        #expect(batch.statementRanges() == [0..<1_000, 1_000..<2_000, 2_000..<2_001])
    }

    @Test("no statement gets more than 8 MiB, except for a single event")
    func byteLimit() {
        var batch = Batch()
        let large = TestEvent(payload: String(repeating: "x", count: 3 << 20))
        for _ in 0..<3 { batch.append(large) }
        #expect(batch.statementRanges() == [0..<2, 2..<3])
    }

    @Test("each statement is for the events of one day")
    func days() {
        var batch = Batch()
        for day: Int32 in [10, 10, 11, 10] { batch.append(TestEvent(day: day)) }
        #expect(batch.statementRanges() == [0..<2, 2..<3, 3..<4])
    }

    @Test("an empty batch needs no statement")
    func empty() {
        var batch = Batch()
        #expect(batch.statementRanges().isEmpty)
        batch.append(TestEvent())
        batch.removeAll()
        #expect(batch.isEmpty && batch.records.isEmpty)
    }
}
