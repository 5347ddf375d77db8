import RecordedInputs
import StorageChannel
import Testing

@testable import mesher_storage

@Suite struct ReceivedEventTests {
    private func read(_ content: [UInt8]) -> ReceivedEvent? {
        content.withUnsafeBytes { ReceivedEvent($0) }
    }

    @Test("what storage must know is read from the record's first columns")
    func identity() throws {
        let content = TestEvent(ticket: 7, flags: 0, project: 42, eventID: 99, day: -3).content()
        let event = try #require(read(content))
        #expect(event.ticket == 7)
        #expect(!event.flags.contains(.counted))
        #expect(event.head.project == 42)
        #expect(event.head.eventID == 99)
        #expect(event.head.receivedOn == -3)
    }

    @Test("a content cut short anywhere is refused, but before a column that a later release has appended")
    func cutShort() {
        let event = TestEvent()
        let content = event.content()
        let later = event.elements[(EventRecord.Column.payload.rawValue + 1)...].map(\.count)
        let whole = later.indices.map { content.count - later[$0...].reduce(0, +) }
        for count in 0..<content.count {
            #expect((read(Array(content[..<count])) != nil) == whole.contains(count), "\(count) bytes")
        }
    }

    @Test("bytes behind the last column are refused")
    func leftOver() {
        #expect(read(TestEvent().content() + [0]) == nil)
    }

    @Test(
        "a column that has not the size of its type is refused",
        arguments: [EventRecord.Column.projectID, .eventID, .receivedAt, .timestamp, .receivedOn])
    func size(column: EventRecord.Column) {
        #expect(read(TestEvent().content(replacing: [column: RecordColumn.number(UInt8(1))])) == nil)
        #expect(read(TestEvent().content(replacing: [column: RecordColumn.null])) == nil)
    }

    @Test("a mandatory text that is NULL is refused", arguments: [EventRecord.Column.level, .message, .payload])
    func mandatory(column: EventRecord.Column) {
        #expect(read(TestEvent().content(replacing: [column: RecordColumn.null])) == nil)
    }

    @Test("tags that are not of jsonb's first version are refused")
    func tags() {
        for tags: [UInt8] in [[0, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 3, 2, 0x7b, 0x7d]] {
            #expect(read(TestEvent().content(replacing: [.tags: tags])) == nil)
        }
        #expect(read(TestEvent().content(replacing: [.tags: RecordColumn.null])) != nil)
    }

    @Test("a length below -1 is refused")
    func negativeLength() {
        #expect(read(TestEvent().content(replacing: [.release: bytes { $0.integer(Int32(-2)) }])) == nil)
        #expect(read(TestEvent().content(replacing: [.release: bytes { $0.integer(Int32.min) }])) == nil)
    }

    @Test("a flag that this version does not know is refused")
    func flag() {
        #expect(read(TestEvent(flags: 4).content()) == nil)
    }
}
