import CJSON

/// Where an event of Sentry SDKs says what happened.
enum SentryMessage {
    /// What it is when an event says nothing.
    static let unlabeled: StaticString = "<unlabeled event>"

    /// The first of: `logentry`, `sentry.interfaces.Message` as it was called before, `message`, what a user wrote as
    /// feedback, the last exception, and `<unlabeled event>`. Never empty.
    ///
    /// - Parameter exception: the last one, if there is one.
    static func find(
        in fields: EventFields, _ exception: SentryException?, _ json: borrowing JSONParser, _ room: inout TextRoom
    ) -> UnsafeRawBufferPointer {
        if let text = entry(fields[.logentry], json, &room) { return text }
        if let text = entry(fields[.messageInterface], json, &room) { return text }
        if let text = entry(fields[.message], json, &room) { return text }
        if let text = feedback(in: fields[.contexts], json, &room) { return text }
        if let text = exception?.description(&room), !text.isEmpty { return text }
        return unlabeled.bytes
    }

    /// A text, or an object with `formatted`, or with `message` and the `params` to be put into it; anything else but
    /// `false` as JSON.
    private static func entry(
        _ entry: mesher_json_value, _ json: borrowing JSONParser, _ room: inout TextRoom
    ) -> UnsafeRawBufferPointer? {
        guard entry.kind == .object else {
            return entry.isPresent && entry.count > 0 && !entry.equals("false") ? room.content(of: entry) : nil
        }
        var formatted = mesher_json_value()
        var message = mesher_json_value()
        var parameters = mesher_json_value()
        for (name, value) in json.members(of: entry) {
            if name.equals("formatted") { formatted = value }
            if name.equals("message") { message = value }
            if name.equals("params") { parameters = value }
        }
        if formatted.isText { return room.content(of: formatted) }
        guard message.isText else { return nil }
        let template = room.content(of: message)
        guard parameters.kind == .array || parameters.kind == .object else { return template }
        return MessageTemplate(template.prefix(characters: TextLimit.message)).filled(
            with: json.members(of: parameters), &room)
    }

    /// `contexts.feedback.message`.
    private static func feedback(
        in contexts: mesher_json_value, _ json: borrowing JSONParser, _ room: inout TextRoom
    ) -> UnsafeRawBufferPointer? {
        let message = json.member("message", of: json.member("feedback", of: contexts))
        return message.isText ? room.content(of: message) : nil
    }
}
