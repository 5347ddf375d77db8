import CJSON
import StorageChannel

/// An event that passed the contract, as the columns of `EventRecord`: numbers, and views that hold as long as the
/// parser's.
struct EventColumns {
    let id: UInt128
    private let project: Int64
    private let receivedAt: Int64
    private let timestamp: Int64
    private let fields: mesher_json_event

    /// An event may be this much ahead of its receipt, in microseconds, before its clock is not believed.
    private static let tolerance: Int64 = 60_000_000

    /// Checks the fields of an event by the contract, in the order of the columns; the first that is not as it must be is
    /// thrown.
    init(
        _ fields: mesher_json_event, project: Int64, derivedID: UInt128, receivedAt: Int64
    ) throws(Refusal) {
        // What lies outside has no place in PostgreSQL either, and would overflow below.
        let receivedAt = min(max(receivedAt, Timestamp.range.lowerBound), Timestamp.range.upperBound)
        try Self.requireMessage(fields.message)
        try Self.requireLevel(fields.level)
        id = try Self.identifier(fields.event_id) ?? derivedID
        let claimed = try Self.timestamp(fields.timestamp) ?? receivedAt
        timestamp = claimed > receivedAt + Self.tolerance ? receivedAt : claimed
        try Self.requireString(fields.platform, "platform")
        try Self.requireString(fields.environment, "environment")
        try Self.requireString(fields.release, "release")
        try Self.requireString(fields.server_name, "server_name")
        try Self.requireString(fields.logger, "logger")
        try Self.requireString(fields.transaction, "transaction")
        try Self.requireString(fields.sdk_name, "sdk_name")
        try Self.requireString(fields.sdk_version, "sdk_version")
        try Self.requireFingerprint(fields.fingerprint)
        try Self.requireObjectOrArray(fields.exception, "exception")
        try Self.requireObjectOrArray(fields.stacktrace, "stacktrace")
        try Self.requireObjectOrArray(fields.breadcrumbs, "breadcrumbs")
        try Self.requireTags(fields.tags)
        try Self.requireObject(fields.extra, "extra")
        try Self.requireObject(fields.user, "user")
        try Self.requireObject(fields.user_context, "user_context")
        self.project = project
        self.receivedAt = receivedAt
        self.fields = fields
    }

    /// The size of the record.
    var size: Int {
        var size = Self.numbersSize
        forEachText { size += RecordWriter.size(of: $0) }
        return size + RecordWriter.size(of: fields.tags.text, prefix: 1) + RecordWriter.size(of: fields.payload.text)
    }

    /// Writes the record.
    func write(to record: inout RecordWriter) {
        record.element(project)
        record.element(id)
        record.element(receivedAt - EventRecord.epochOffset)
        record.element(timestamp - EventRecord.epochOffset)
        record.element(Self.date(of: receivedAt))
        forEachText { record.element($0) }
        record.element(fields.tags.text, prefix: 1)
        record.element(fields.payload.text)
    }

    /// Five columns that are numbers, with their lengths.
    private static let numbersSize = 5 * 4 + 3 * 8 + 16 + 4

    /// The columns that are text, in order.
    @inline(__always)
    private func forEachText(_ body: (UnsafeRawBufferPointer?) -> Void) {
        body(fields.level.text)
        body(fields.message.text)
        body(fields.platform.text)
        body(fields.environment.text)
        body(fields.release.text)
        body(fields.server_name.text)
        body(fields.logger.text)
        body(fields.transaction.text)
        body(fields.sdk_name.text)
        body(fields.sdk_version.text)
    }

    /// The day in UTC, counted from 2000-01-01.
    private static func date(of microseconds: Int64) -> Int32 {
        let since2000 = microseconds - EventRecord.epochOffset
        let days = since2000 / EventRecord.day
        return Int32(clamping: since2000 % EventRecord.day < 0 ? days - 1 : days)
    }
}

// The contract's checks of single fields.
extension EventColumns {
    private static func requireMessage(_ value: mesher_json_value) throws(Refusal) {
        try requireString(value, "message")
        guard value.count > 0, value.isPresent else {
            throw Refusal(.missingMessage, "missing required field: message")
        }
    }

    private static func requireLevel(_ value: mesher_json_value) throws(Refusal) {
        guard value.isPresent else { throw Refusal(.missingLevel, "missing required field: level") }
        guard value.kind == .string,
            value.equals("error") || value.equals("warning") || value.equals("info") || value.equals("debug")
                || value.equals("fatal")
        else {
            throw Refusal(.invalidLevel, "invalid level: must be fatal, error, warning, info, or debug")
        }
    }

    private static func identifier(_ value: mesher_json_value) throws(Refusal) -> UInt128? {
        guard value.isPresent else { return nil }
        guard value.kind == .string, let id = EventIdentifier.parse(value.bytes) else {
            throw invalid("event_id", "32 hex digits or a UUID")
        }
        return id
    }

    private static func timestamp(_ value: mesher_json_value) throws(Refusal) -> Int64? {
        do throws(Timestamp.Fault) {
            switch value.kind {
            case .absent, .null: return nil
            case .string: return try Timestamp.dateTime(value.bytes)
            case .number: return try Timestamp.seconds(value.bytes)
            default: throw .shape
            }
        } catch {
            switch error {
            case .shape: throw invalid("timestamp", "an RFC 3339 date and time, or seconds since 1970")
            case .range: throw invalid("timestamp", "within the years 0001 to 9999")
            }
        }
    }

    private static func requireString(_ value: mesher_json_value, _ name: StaticString) throws(Refusal) {
        guard value.kind == .string || !value.isPresent else { throw invalid(name, "a string") }
    }

    private static func requireObject(_ value: mesher_json_value, _ name: StaticString) throws(Refusal) {
        guard value.kind == .object || !value.isPresent else { throw invalid(name, "an object") }
    }

    private static func requireObjectOrArray(_ value: mesher_json_value, _ name: StaticString) throws(Refusal) {
        guard value.kind == .object || value.kind == .array || !value.isPresent else {
            throw invalid(name, "an object or an array")
        }
    }

    private static func requireFingerprint(_ value: mesher_json_value) throws(Refusal) {
        guard value.kind == .string || !value.isPresent || (value.kind == .array && value.only_strings != 0) else {
            throw invalid("fingerprint", "a string or an array of strings")
        }
    }

    /// Tags become jsonb, whose numbers are PostgreSQL's numeric.
    private static func requireTags(_ value: mesher_json_value) throws(Refusal) {
        try requireObject(value, "tags")
        guard !value.isPresent || value.fits_numeric != 0 else {
            throw invalid(
                "tags",
                "an object with numbers of at most 131072 digits before and 16383 behind the point, 1048576 in all")
        }
    }

    private static func invalid(_ name: StaticString, _ rule: StaticString) -> Refusal {
        Refusal(.invalidField, "invalid \(name): must be \(rule)")
    }
}

extension mesher_json_value {
    fileprivate var isPresent: Bool { kind != .absent && kind != .null }

    fileprivate var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start, count: Int(count))
    }

    /// The bytes of a column; nil is NULL.
    fileprivate var text: UnsafeRawBufferPointer? {
        isPresent ? bytes : nil
    }

    fileprivate func equals(_ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<bytes.count where bytes[index] != text.utf8Start[index] { return false }
        return true
    }
}
