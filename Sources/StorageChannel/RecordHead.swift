/// What storage and spool must know about an event: the numbers at the beginning of its `EventRecord`.
package struct RecordHead: Equatable, Sendable {
    package let project: Int64
    package let eventID: UInt128
    /// Microseconds since 2000-01-01T00:00:00Z.
    package let receivedAt: Int64
    /// Days since 2000-01-01.
    package let receivedOn: Int32

    /// Nil when it is no whole record whose first columns have the sizes of their types and whose mandatory columns are
    /// there. PostgreSQL checks the texts.
    package init?(_ record: UnsafeRawBufferPointer) {
        var project: Int64 = 0
        var eventID: UInt128 = 0
        var receivedAt: Int64 = 0
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
            case Self.receivedAt:
                isValid = isValid && element.count == 12
                receivedAt = Self.integer(element)
            case Self.timestamp:
                isValid = isValid && element.count == 12
            case Self.level, Self.message, Self.payload:
                isValid = isValid && Self.integer(element, at: 0) != Int32(-1)
            case Self.tags:
                // For another beginning PostgreSQL's error does not tell whose fault it is.
                let isJSONB = element.count > 4 ? element[4] == 1 : Self.integer(element, at: 0) == Int32(-1)
                isValid = isValid && isJSONB
            default: break
            }
        }
        guard isWhole, isValid else { return nil }
        self.project = project
        self.eventID = eventID
        self.receivedAt = receivedAt
        self.receivedOn = receivedOn
    }

    private static let project = EventRecord.Column.projectID.rawValue
    private static let eventID = EventRecord.Column.eventID.rawValue
    private static let receivedAt = EventRecord.Column.receivedAt.rawValue
    private static let timestamp = EventRecord.Column.timestamp.rawValue
    private static let receivedOn = EventRecord.Column.receivedOn.rawValue
    private static let level = EventRecord.Column.level.rawValue
    private static let message = EventRecord.Column.message.rawValue
    private static let tags = EventRecord.Column.tags.rawValue
    private static let payload = EventRecord.Column.payload.rawValue

    /// A number behind an element's length; 0 when the element is too short for it.
    private static func integer<Value: FixedWidthInteger>(_ element: UnsafeRawBufferPointer, at offset: Int = 4)
        -> Value
    {
        guard element.count >= offset + MemoryLayout<Value>.size else { return 0 }
        return Value(bigEndian: element.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
}
