import CJSON
import StorageChannel

/// The contract of Mesher's own routes: what an event's fields must be.
enum NativeEvent {
    /// The columns that are fields of the same name, and strings.
    private static let strings: [(column: EventRecord.Column, field: Int, name: StaticString)] =
        EventRecord.Column.allCases.compactMap { column in
            guard case .string = column.declaration.native else { return nil }
            let name = column.declaration.name
            return EventFields.number(of: name).map { (column, $0, name) }
        }

    /// Checks the fields in the order of the columns, and fills the columns in; throws for the first invalid one.
    static func fill(
        _ columns: inout EventColumns, from fields: EventFields, _ json: borrowing JSONParser,
        _ room: inout TextRoom
    ) throws(Refusal) {
        try requireMessage(fields[.message])
        try requireLevel(fields[.level])
        if let id = try identifier(fields[.eventID]) { columns.id = id }
        if let claimed = try timestamp(fields[.timestamp]) { columns.setTimestamp(claimed) }
        columns[.level] = fields[.level].text
        columns[.message] = fields[.message].text
        for (column, field, name) in strings { columns[column] = try string(fields[field], name) }
        try requireFingerprint(fields[.fingerprint])
        try requireObjectOrArray(fields[.exception], "exception")
        try requireObjectOrArray(fields[.stacktrace], "stacktrace")
        try requireObjectOrArray(fields[.breadcrumbs], "breadcrumbs")
        columns[.tags] = try tags(fields[.tags], json, &room)
        try requireObject(fields[.extra], "extra")
        try requireObject(fields[.user], "user")
        try requireObject(fields[.userContext], "user_context")
        columns[.payload] = fields.payload.text
    }

    private static func requireMessage(_ value: mesher_json_value) throws(Refusal) {
        guard value.count > 0, try string(value, "message") != nil else {
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
        // All zeros counts as none; otherwise one event would hide another.
        return id == 0 ? nil : id
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

    private static func string(
        _ value: mesher_json_value, _ name: StaticString
    ) throws(Refusal) -> UnsafeRawBufferPointer? {
        guard value.kind == .string || !value.isPresent else { throw invalid(name, "a string") }
        return value.text
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

    /// Tags become jsonb, whose numbers are PostgreSQL's numeric. Beyond the column's bounds only the first are kept.
    private static func tags(
        _ value: mesher_json_value, _ json: borrowing JSONParser, _ room: inout TextRoom
    ) throws(Refusal) -> UnsafeRawBufferPointer? {
        try requireObject(value, "tags")
        guard !value.isPresent || value.fits_numeric != 0 else {
            throw invalid(
                "tags",
                "an object with numbers of at most 131072 digits before and 16383 behind the point, 1048576 in all")
        }
        if TagObject.holds(value) { return value.text }
        var object = TagObject(in: room)
        for (name, tag) in json.members(of: value) {
            if object.isFull { break }
            object.append(name, tag, &room)
        }
        return object.finish(&room)
    }

    private static func invalid(_ name: StaticString, _ rule: StaticString) -> Refusal {
        Refusal(.invalidField, "invalid \(name): must be \(rule)")
    }
}
