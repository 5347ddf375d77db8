import Schema
import StorageChannel
import Testing

@testable import mesher_storage

@Suite struct StatementParametersTests {
    private func encode(_ events: [TestEvent], _ range: Range<Int>? = nil) -> [[UInt8]] {
        var batch = Batch()
        for event in events { batch.append(event) }
        var parameters = StatementParameters()
        parameters.encode(batch, range ?? 0..<batch.count)
        return parameters.withParameters { $0.map { Array($0) } }
    }

    private func header(hasNull: Bool, element: UInt32, count: Int32) -> [UInt8] {
        bytes {
            $0.integer(Int32(1))
            $0.integer(Int32(hasNull ? 1 : 0))
            $0.integer(element)
            $0.integer(count)
            $0.integer(Int32(1))
        }
    }

    @Test("each column is an array of its elements")
    func arrays() {
        let events = [TestEvent(project: 1, day: 10), TestEvent(project: 2, day: 10, release: "1.0")]
        let parameters = encode(events)
        #expect(parameters.count == InsertStatement.columns.count)
        for (column, description) in InsertStatement.columns.enumerated() {
            let elements = events.map { $0.elements[column] }
            let hasNull = elements.contains { $0.count == 4 }
            #expect(
                parameters[column]
                    == header(hasNull: hasNull, element: description.element, count: 2) + elements.flatMap { $0 })
        }
    }

    @Test("only the range is taken")
    func range() {
        let events = (0..<4).map { TestEvent(project: $0) }
        #expect(encode(events, 1..<3) == encode(Array(events[1..<3])))
    }

    @Test("nothing of one batch is left in the next")
    func reuse() {
        var parameters = StatementParameters()
        var batch = Batch()
        batch.append(TestEvent(eventID: 5, message: String(repeating: "x", count: 1_000)))
        parameters.encode(batch, 0..<1)
        batch.removeAll()
        let event = TestEvent(eventID: 5)
        batch.append(event)
        parameters.encode(batch, 0..<1)
        #expect(parameters.withParameters { $0.map { Array($0) } } == encode([event]))
    }
}
