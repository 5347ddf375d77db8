import CJSON
import StorageChannel

/// A user's report on an event, as Sentry's dialog sends it: `event_id`, `name`, `email` and `comments`. It is stored
/// beside the event.
enum UserReport {
    /// A report's id is its event's with these bits changed, so a second report on the same event is a duplicate.
    private static let mask: UInt128 = 0x7573_6572_5f72_6570_6f72_7400_0000_0001

    static func fill(
        _ columns: inout EventColumns, from fields: EventFields, _ json: borrowing JSONParser,
        _ room: inout TextRoom
    ) {
        if let event = SentryEvent.identifier(fields[.eventID]) { columns.id = event ^ mask }
        let comments = json.member("comments", of: fields.payload)
        columns[.level] = StaticString("info").bytes
        columns[.message] =
            comments.isText
            ? room.content(of: comments).prefix(characters: TextLimit.message) : SentryMessage.unlabeled.bytes
        columns[.logger] = StaticString("user_report").bytes
    }
}
