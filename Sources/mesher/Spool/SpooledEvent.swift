internal import Notation
internal import StorageChannel

/// An event of the spool or the quarantine, its columns as text.
struct SpooledEvent {
    let head: RecordHead
    /// Where it belongs: the record's, unless the operator says otherwise.
    private(set) var project: Int64
    /// By `EventRecord.Column`; nil is NULL.
    private(set) var values: [String?]

    /// Nil when the bytes are no record, a text is not UTF-8, or a time is none of the years 1 to 9999.
    init?(_ record: [UInt8]) {
        var values: [String?] = []
        var isValid = true
        let head = record.withUnsafeBytes { record in
            guard let head = RecordHead(record) else { return Optional<RecordHead>.none }
            _ = EventRecord.forEachElement(of: record) { column, element in
                guard let column = EventRecord.Column(rawValue: column) else { return }
                let isNull = Self.integer(element, as: Int32.self, at: 0) == -1
                let value = isNull ? nil : Self.text(column.declaration.kind, element)
                if !isNull && value == nil { isValid = false }
                values.append(value)
            }
            return head
        }
        guard let head, isValid, values.count == EventRecord.Column.allCases.count else { return nil }
        self.head = head
        self.values = values
        project = head.project
    }

    /// The same event, for another project.
    func moved(to project: Int64) -> SpooledEvent {
        var event = self
        event.project = project
        event.values[EventRecord.Column.projectID.rawValue] = String(project)
        return event
    }

    subscript(_ column: EventRecord.Column) -> String? { values[column.rawValue] }

    /// Bytes of its texts.
    var size: Int { values.reduce(0) { $0 + ($1?.utf8.count ?? 0) } }

    /// 32 hex digits.
    var id: String { self[.eventID] ?? "" }

    /// An object with the names of the table's columns.
    var json: JSON {
        .members(
            EventRecord.Column.allCases.map { column in
                let value = self[column]
                let shown: JSON =
                    switch column.declaration.kind {
                    case .int8: .integer(project)
                    case .jsonb, .json: value.map { .verbatim($0) } ?? .null
                    default: .optional(value)
                    }
                return ("\(column.declaration.name)", shown)
            })
    }

    private static func text(_ kind: EventColumn.Kind, _ element: UnsafeRawBufferPointer) -> String? {
        let content = UnsafeRawBufferPointer(rebasing: element.dropFirst(4))
        switch kind {
        case .int8: return String(integer(content, as: Int64.self))
        case .uuid:
            return integer(content, as: UInt128.self).hexDigits
        case .timestamptz: return PostgreSQLTime.moment(integer(content))
        case .date: return PostgreSQLTime.day(Int64(integer(content, as: Int32.self)))
        // jsonb has a byte for its version before the text.
        case .jsonb: return String(validating: content.dropFirst(1), as: UTF8.self)
        case .text, .json: return String(validating: content, as: UTF8.self)
        }
    }

    private static func integer<Value: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer, as: Value.Type = Value.self, at offset: Int = 0
    ) -> Value {
        guard bytes.count >= offset + MemoryLayout<Value>.size else { return 0 }
        return Value(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
}

/// PostgreSQL's counts of time since 2000-01-01, as RFC 3339.
enum PostgreSQLTime {
    /// Microseconds; nil outside the years 1 to 9999.
    static func moment(_ microseconds: Int64) -> String? {
        let (days, rest) = floorDivided(microseconds, EventRecord.day)
        guard let date = day(days) else { return nil }
        let seconds = rest / 1_000_000
        let clock = [seconds / 3_600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }.joined(separator: ":")
        return "\(date)T\(clock).\(padded(rest % 1_000_000, 6))Z"
    }

    /// Days; nil outside the years 1 to 9999. The proleptic Gregorian calendar, in eras of 400 years that begin in March.
    static func day(_ number: Int64) -> String? {
        guard number > -730_000, number < 2_922_000 else { return nil }
        let (era, dayOfEra) = floorDivided(number + 730_425, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let year = era * 400 + yearOfEra + (month >= 10 ? 1 : 0)
        return "\(padded(year, 4))-\(padded(month >= 10 ? month - 9 : month + 3, 2))-\(padded(day, 2))"
    }

    private static func floorDivided(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(width - digits.count, 0)) + digits
    }
}
