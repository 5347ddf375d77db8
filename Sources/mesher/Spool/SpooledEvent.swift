internal import Glibc
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

/// PostgreSQL's counts of time since 2000-01-01, as RFC 3339. The corresponding C function is `gmtime_r`.
enum PostgreSQLTime {
    /// Seconds from 1970-01-01 to 2000-01-01.
    private static let epoch: Int64 = EventRecord.epochOffset / 1_000_000

    /// Microseconds; nil outside the years 1 to 9999.
    static func moment(_ microseconds: Int64) -> String? {
        let (seconds, rest) = floorDivided(microseconds, 1_000_000)
        guard let time = time(seconds) else { return nil }
        let clock = [time.tm_hour, time.tm_min, time.tm_sec].map { padded($0, 2) }.joined(separator: ":")
        return "\(date(time))T\(clock).\(padded(rest, 6))Z"
    }

    /// Days; nil outside the years 1 to 9999.
    static func day(_ number: Int64) -> String? {
        let (seconds, isTooMuch) = number.multipliedReportingOverflow(by: EventRecord.day / 1_000_000)
        return isTooMuch ? nil : time(seconds).map(date)
    }

    private static func time(_ seconds: Int64) -> tm? {
        let (moment, isTooMuch) = seconds.addingReportingOverflow(epoch)
        var (clock, result) = (time_t(moment), tm())
        guard !isTooMuch, gmtime_r(&clock, &result) != nil, (1...9_999).contains(Int64(result.tm_year) + 1_900) else {
            return nil
        }
        return result
    }

    private static func date(_ time: tm) -> String {
        "\(padded(time.tm_year + 1_900, 4))-\(padded(time.tm_mon + 1, 2))-\(padded(time.tm_mday, 2))"
    }

    private static func floorDivided(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func padded(_ number: some BinaryInteger, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(width - digits.count, 0)) + digits
    }
}
