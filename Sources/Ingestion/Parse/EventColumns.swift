import CJSON
import StorageChannel

/// One event as the columns of `EventRecord`: numbers, and views that hold as long as the parser's. Nil is NULL.
struct EventColumns {
    let project: Int64
    var id: UInt128 = 0
    /// Microseconds since 1970, as `timestamp`; both within `Timestamp.range`.
    let receivedAt: Int64
    private(set) var timestamp: Int64
    /// All others by their number: texts, and the text of an object whose numbers are within the range of PostgreSQL's
    /// numeric for tags.
    private let texts: UnsafeMutableBufferPointer<UnsafeRawBufferPointer?>
    /// The replacement of a part of the payload, if any.
    var edit: PayloadEdit?

    /// How far an event may be ahead of its receipt, in microseconds, before its clock is distrusted.
    private static let tolerance: Int64 = 60_000_000

    /// - Parameter texts: room for as many as there are columns.
    init(project: Int64, receivedAt: Int64, in texts: UnsafeMutableBufferPointer<UnsafeRawBufferPointer?>) {
        texts.update(repeating: nil)
        self.texts = texts
        self.project = project
        // PostgreSQL cannot store times outside either, and they would overflow below.
        self.receivedAt = min(max(receivedAt, Timestamp.range.lowerBound), Timestamp.range.upperBound)
        timestamp = self.receivedAt
    }

    /// Uses the sender's time, unless it lies in the future.
    mutating func setTimestamp(_ claimed: Int64) {
        timestamp = claimed > receivedAt + Self.tolerance ? receivedAt : claimed
    }

    /// A column that is text or JSON.
    subscript(_ column: EventRecord.Column) -> UnsafeRawBufferPointer? {
        get { texts[column.rawValue] }
        nonmutating set { texts[column.rawValue] = newValue }
    }

    /// The columns that are text or JSON: all behind those that are numbers.
    private static let texts = EventRecord.Column.level.rawValue..<EventRecord.Column.allCases.count

    /// The size of the record.
    var size: Int {
        var size = Self.numbersSize + (edit?.growth ?? 0)
        for place in Self.texts {
            size += RecordWriter.size(of: texts[place], prefix: place == EventRecord.Column.tags.rawValue ? 1 : nil)
        }
        return size
    }

    /// Writes the record.
    func write(to record: inout RecordWriter) {
        record.element(project)
        record.element(id)
        record.element(receivedAt - EventRecord.epochOffset)
        record.element(timestamp - EventRecord.epochOffset)
        record.element(Self.date(of: receivedAt))
        for place in Self.texts {
            switch place {
            case EventRecord.Column.tags.rawValue: record.element(texts[place], prefix: 1)
            case EventRecord.Column.payload.rawValue: record.element(texts[place], edit)
            default: record.element(texts[place])
            }
        }
    }

    /// Five columns that are numbers, with their lengths.
    private static let numbersSize = 5 * 4 + 3 * 8 + 16 + 4

    /// The day in UTC, counted from 2000-01-01.
    private static func date(of microseconds: Int64) -> Int32 {
        let since2000 = microseconds - EventRecord.epochOffset
        let days = since2000 / EventRecord.day
        return Int32(clamping: since2000 % EventRecord.day < 0 ? days - 1 : days)
    }
}
