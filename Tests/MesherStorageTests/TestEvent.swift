import RecordedInputs
import StorageChannel

/// An event as an edge would send it; a column can be set to anything to make it faulty.
struct TestEvent {
    var ticket: UInt64 = 1
    var flags: UInt8 = 1
    var project: Int64 = 1
    var eventID: UInt128 = .random(in: 0...UInt128.max)
    /// Days since 2000-01-01.
    var day: Int32 = Self.today
    /// The receipt, in microseconds since 2000-01-01; by default noon.
    var time: Int64?
    var message = "it failed"
    var release: String?
    var tags: String? = #"{"a":"b"}"#
    var payload = #"{"message":"it failed"}"#
    /// The columns that came after `payload`; what is not named is NULL.
    var later: [EventRecord.Column: String] = [:]

    /// 2026-01-02; a fixed day, so that no test runs over a midnight.
    static let today: Int32 = 9498

    /// The columns as elements.
    var elements: [[UInt8]] {
        let time = time ?? Int64(day) &* EventRecord.day &+ EventRecord.day / 2 &+ 1
        let texts: [String?] = [
            "error", message, "swift", nil, release, "web-1", nil, "", nil, nil,
        ]
        return [
            RecordColumn.number(project), RecordColumn.number(eventID), RecordColumn.number(time),
            RecordColumn.number(time), RecordColumn.number(day),
        ] + texts.map { RecordColumn.text($0) } + [RecordColumn.text(tags, prefix: 1), RecordColumn.text(payload)]
            + EventRecord.Column.allCases.dropFirst(texts.count + 7).map { RecordColumn.text(later[$0]) }
    }

    /// The content of a `store` frame, with other columns than the event's own in some places.
    func content(replacing replacements: [EventRecord.Column: [UInt8]] = [:]) -> [UInt8] {
        var columns = elements
        for (column, replacement) in replacements { columns[column.rawValue] = replacement }
        return bytes {
            $0.integer(ticket)
            $0.integer(flags)
            for column in columns { $0.append(column) }
        }
    }

    /// A whole `store` frame.
    var frame: [UInt8] {
        bytes { writer in writer.frame(.store) { $0.append(content()) } }
    }
}

/// The bytes that `write` produces.
func bytes(_ write: (inout FrameWriter) -> Void) -> [UInt8] {
    var writer = FrameWriter()
    write(&writer)
    return writer.bytes
}
