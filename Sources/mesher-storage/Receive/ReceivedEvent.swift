import StorageChannel

/// One event as an edge handed it over: what storage itself must know of it, and the record it copies.
struct ReceivedEvent {
    let ticket: UInt64
    let flags: StoreFlags
    let project: Int64
    let eventID: UInt128
    /// Days since 2000-01-01.
    let receivedOn: Int32
    /// Valid only while the frame is looked at.
    let record: UnsafeRawBufferPointer

    /// Reads a `store` frame's content; nil when it is no ticket with a whole record whose first columns have the sizes
    /// of their types and whose mandatory columns are there. What the texts hold is PostgreSQL's to judge.
    init?(_ content: UnsafeRawBufferPointer) {
        var reader = FrameContent(content)
        ticket = reader.integer()
        flags = StoreFlags(rawValue: reader.integer())
        record = reader.remainder()
        guard reader.isIntact, flags.isSubset(of: .all) else { return nil }

        var project: Int64 = 0
        var eventID: UInt128 = 0
        var receivedOn: Int32 = 0
        var isValid = true
        let isWhole = EventRecord.forEachElement(of: record) { column, element in
            switch column {
            case Self.project:
                isValid = isValid && element.count == 12
                project = Self.integer(element)
            case Self.eventID:
                isValid = isValid && element.count == 20
                eventID = Self.integer(element)
            case Self.receivedOn:
                isValid = isValid && element.count == 8
                receivedOn = Self.integer(element)
            case Self.receivedAt, Self.timestamp:
                isValid = isValid && element.count == 12
            case Self.level, Self.message, Self.payload:
                isValid = isValid && Self.integer(element, at: 0) != Int32(-1)
            default: break
            }
        }
        guard isWhole, isValid else { return nil }
        self.project = project
        self.eventID = eventID
        self.receivedOn = receivedOn
    }

    private static let project = EventRecord.Column.projectID.rawValue
    private static let eventID = EventRecord.Column.eventID.rawValue
    private static let receivedAt = EventRecord.Column.receivedAt.rawValue
    private static let timestamp = EventRecord.Column.timestamp.rawValue
    private static let receivedOn = EventRecord.Column.receivedOn.rawValue
    private static let level = EventRecord.Column.level.rawValue
    private static let message = EventRecord.Column.message.rawValue
    private static let payload = EventRecord.Column.payload.rawValue

    /// A number behind an element's length; 0 when the element is too short for it.
    private static func integer<Value: FixedWidthInteger>(_ element: UnsafeRawBufferPointer, at offset: Int = 4)
        -> Value
    {
        guard element.count >= offset + MemoryLayout<Value>.size else { return 0 }
        return Value(bigEndian: element.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
}
