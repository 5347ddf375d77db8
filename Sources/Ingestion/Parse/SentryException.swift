import CJSON

/// An exception of an event. They come as `{"values":[…]}`, as an array, or as a single one.
struct SentryException {
    /// Absent where the exception does not have them.
    private(set) var type = mesher_json_value()
    private(set) var value = mesher_json_value()

    /// The last exception of which anything is said: the outermost, which nobody caught. Nil when there is none.
    static func last(in fields: EventFields, _ json: borrowing JSONParser) -> SentryException? {
        last(of: fields[.exception], json) ?? last(of: fields[.exceptionInterface], json)
    }

    private static func last(of field: mesher_json_value, _ json: borrowing JSONParser) -> SentryException? {
        let values = json.member("values", of: field)
        let list = values.kind == .array ? values : field
        guard list.kind == .array else { return SentryException(field, json) }
        var last: SentryException?
        for (_, element) in json.members(of: list) {
            if let exception = SentryException(element, json) { last = exception }
        }
        return last
    }

    /// Nil when it has neither a type nor a value.
    private init?(_ object: mesher_json_value, _ json: borrowing JSONParser) {
        guard object.kind == .object else { return nil }
        for (name, member) in json.members(of: object) {
            if name.equals("type") { type = member }
            if name.equals("value") { value = member }
        }
        guard type.isText || hasValue else { return nil }
    }

    private var hasValue: Bool { value.isPresent && value.count > 0 }

    /// `Type: value`, or whichever there is. A value that is no text is shown as JSON.
    func description(_ room: inout TextRoom) -> UnsafeRawBufferPointer {
        let start = room.count
        if type.isText { room.append(contentOf: type) }
        if hasValue {
            if type.isText { room.append(": ") }
            room.append(contentOf: value)
        }
        return room.text(from: start)
    }
}
