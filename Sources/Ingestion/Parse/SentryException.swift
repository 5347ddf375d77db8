import CJSON

/// The exceptions of an event: they come as `{"values":[…]}`, as an array, or as a single one.
enum SentryException {
    /// The last exception of which anything is said: the outermost, which nobody caught. Absent when there is none.
    static func last(in fields: EventFields, _ json: borrowing JSONParser) -> mesher_json_value {
        let last = last(of: fields[.exception], json)
        return last.kind == .absent ? self.last(of: fields[.exceptionInterface], json) : last
    }

    private static func last(of field: mesher_json_value, _ json: borrowing JSONParser) -> mesher_json_value {
        let values = json.member("values", of: field)
        let list = values.kind == .array ? values : field
        guard list.kind == .array else { return isSaid(field, json) ? field : mesher_json_value() }
        var last = mesher_json_value()
        for (_, element) in json.members(of: list) where isSaid(element, json) { last = element }
        return last
    }

    /// Whether an exception has a type or a value.
    private static func isSaid(_ exception: mesher_json_value, _ json: borrowing JSONParser) -> Bool {
        guard exception.kind == .object else { return false }
        var type = mesher_json_value()
        var value = mesher_json_value()
        for (name, member) in json.members(of: exception) {
            if name.equals("type") { type = member }
            if name.equals("value") { value = member }
        }
        return type.isText || value.isPresent && value.count > 0
    }
}
