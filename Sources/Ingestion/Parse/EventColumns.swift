import CJSON
import StorageChannel

/// One event as the columns of `EventRecord`: numbers, and views that hold as long as the parser's. Nil is NULL.
struct EventColumns {
    let project: Int64
    var id: UInt128 = 0
    /// Microseconds since 1970, as `timestamp`; both within `Timestamp.range`.
    let receivedAt: Int64
    private(set) var timestamp: Int64
    var level: UnsafeRawBufferPointer?
    var message: UnsafeRawBufferPointer?
    var platform: UnsafeRawBufferPointer?
    var environment: UnsafeRawBufferPointer?
    var release: UnsafeRawBufferPointer?
    var serverName: UnsafeRawBufferPointer?
    var logger: UnsafeRawBufferPointer?
    var transaction: UnsafeRawBufferPointer?
    var sdkName: UnsafeRawBufferPointer?
    var sdkVersion: UnsafeRawBufferPointer?
    /// The text of an object whose numbers are within the range of PostgreSQL's numeric.
    var tags: UnsafeRawBufferPointer?
    var payload: UnsafeRawBufferPointer?
    /// What is stored in the place of a part of the payload.
    var edit: PayloadEdit?

    /// An event may be this much ahead of its receipt, in microseconds, before its clock is not believed.
    private static let tolerance: Int64 = 60_000_000

    init(project: Int64, receivedAt: Int64) {
        self.project = project
        // What lies outside has no place in PostgreSQL either, and would overflow below.
        self.receivedAt = min(max(receivedAt, Timestamp.range.lowerBound), Timestamp.range.upperBound)
        timestamp = self.receivedAt
    }

    /// Takes the time that the sender names, unless that lies in the future.
    mutating func setTimestamp(_ claimed: Int64) {
        timestamp = claimed > receivedAt + Self.tolerance ? receivedAt : claimed
    }

    /// The size of the record.
    var size: Int {
        var size = Self.numbersSize
        forEachText { size += RecordWriter.size(of: $0) }
        return size + RecordWriter.size(of: tags, prefix: 1) + RecordWriter.size(of: payload, edit)
    }

    /// Writes the record.
    func write(to record: inout RecordWriter) {
        record.element(project)
        record.element(id)
        record.element(receivedAt - EventRecord.epochOffset)
        record.element(timestamp - EventRecord.epochOffset)
        record.element(Self.date(of: receivedAt))
        forEachText { record.element($0) }
        record.element(tags, prefix: 1)
        record.element(payload, edit)
    }

    /// Five columns that are numbers, with their lengths.
    private static let numbersSize = 5 * 4 + 3 * 8 + 16 + 4

    /// The columns that are text, in order.
    @inline(__always)
    private func forEachText(_ body: (UnsafeRawBufferPointer?) -> Void) {
        body(level)
        body(message)
        body(platform)
        body(environment)
        body(release)
        body(serverName)
        body(logger)
        body(transaction)
        body(sdkName)
        body(sdkVersion)
    }

    /// The day in UTC, counted from 2000-01-01.
    private static func date(of microseconds: Int64) -> Int32 {
        let since2000 = microseconds - EventRecord.epochOffset
        let days = since2000 / EventRecord.day
        return Int32(clamping: since2000 % EventRecord.day < 0 ? days - 1 : days)
    }
}
