import CJSON
import StorageChannel

/// The events of Sentry SDKs of any age: the columns are derived from what is usable in their fields.
///
/// An empty text counts as none, a number as a text.
enum SentryEvent {
    /// Fills the columns in. Throws `unsupportedItem` when it is a transaction.
    static func fill(
        _ columns: inout EventColumns, from fields: EventFields, id: UInt128?, sentAt: Int64?,
        _ plan: borrowing ColumnPlan, _ json: borrowing JSONParser, _ room: inout TextRoom
    ) throws(Refusal) {
        guard !(fields[.type].kind == .string && fields[.type].equals("transaction")) else {
            throw Refusal(.unsupportedItem, "unsupported item: transaction")
        }
        if let id = id ?? identifier(fields[.eventID]) { columns.id = id }
        setTimestamp(&columns, fields[.timestamp], sentAt: sentAt)
        // Before the message, which may be as long as there is room.
        columns[.tags] = SentryTags.object(of: fields[.tags], json, &room)
        columns[.level] = SentryLevel.name(of: fields[.level])
        let exception = SentryException.last(in: fields, json)
        let message = SentryMessage.find(in: fields, exception, json, &room)
        columns[.message] = message.prefix(characters: TextLimit.message)
        plan.fill(&columns, from: fields, exception, json, &room)
    }

    /// Fills in the SDK's name and version from `NAME/VERSION`.
    static func fill(_ columns: inout EventColumns, from client: [UInt8], _ room: inout TextRoom) {
        let start = room.count
        client.withUnsafeBytes { room.append($0) }
        let text = room.text(from: start)
        let end = text.lastIndex(of: UInt8(ascii: "/")) ?? text.count
        let version = text.dropFirst(end + 1)
        if end > 0 { columns[.sdkName] = UnsafeRawBufferPointer(rebasing: text[..<end]) }
        if !version.isEmpty { columns[.sdkVersion] = UnsafeRawBufferPointer(rebasing: version) }
    }

    /// The event's own id, which may also be written as `{UUID}` or `urn:uuid:UUID`. All zeros, which some senders use
    /// instead of none, counts as none; otherwise one event would hide another.
    static func identifier(_ value: mesher_json_value) -> UInt128? {
        value.kind == .string ? identifier(ofText: value.bytes) : nil
    }

    /// The same of a string's content.
    static func identifier(ofText text: UnsafeRawBufferPointer) -> UInt128? {
        var text = text
        if text.count == 38, text.first == UInt8(ascii: "{"), text.last == UInt8(ascii: "}") {
            text = UnsafeRawBufferPointer(rebasing: text[1..<37])
        } else if text.count == 45, text.starts(at: 0, with: "urn:uuid:") {
            text = UnsafeRawBufferPointer(rebasing: text[9...])
        }
        guard let id = EventIdentifier.parse(text), id != 0 else { return nil }
        return id
    }

    /// How far a sender's clock may differ, in microseconds, before its times are corrected by the difference.
    private static let believedDrift: Int64 = 55 * 60 * 1_000_000

    private static func setTimestamp(_ columns: inout EventColumns, _ value: mesher_json_value, sentAt: Int64?) {
        guard var claimed = time(value) else { return }
        if let sentAt, Timestamp.range.contains(sentAt) {
            let drift = columns.receivedAt - sentAt
            if abs(drift) >= believedDrift { claimed += drift }
        }
        columns.setTimestamp(min(max(claimed, Timestamp.range.lowerBound), Timestamp.range.upperBound))
    }

    /// Microseconds since 1970; nil when it is no time.
    private static func time(_ value: mesher_json_value) -> Int64? {
        switch value.kind {
        case .number: try? Timestamp.seconds(value.bytes)
        case .string: time(ofText: value.bytes)
        default: nil
        }
    }

    /// The same of a text, which may be a number.
    static func time(ofText text: UnsafeRawBufferPointer) -> Int64? {
        isSeconds(text) ? try? Timestamp.seconds(text) : try? Timestamp.lenientDateTime(text)
    }

    /// Digits, and perhaps a point and digits.
    private static func isSeconds(_ text: UnsafeRawBufferPointer) -> Bool {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        return parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(UnsafeRawBufferPointer.isDigit) }
    }
}
