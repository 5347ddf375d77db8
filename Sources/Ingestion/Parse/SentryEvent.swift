import CJSON

/// The events of Sentry's SDKs, of any age: the columns are made from what is usable in their fields.
///
/// An empty text is as good as none, a number as good as a text.
enum SentryEvent {
    /// Fills the columns in. Throws `unsupportedItem` when it is a transaction.
    static func fill(
        _ columns: inout EventColumns, from fields: mesher_json_event, id: UInt128?, sentAt: Int64?,
        _ json: borrowing JSONParser, _ room: inout TextRoom
    ) throws(Refusal) {
        guard !(fields.type.kind == .string && fields.type.equals("transaction")) else {
            throw Refusal(.unsupportedItem, "unsupported item: transaction")
        }
        if let id = id ?? identifier(fields.event_id) { columns.id = id }
        setTimestamp(&columns, fields.timestamp, sentAt: sentAt)
        // Before the message, which may be as long as there is room.
        columns.tags = SentryTags.object(of: fields.tags, json, &room)
        columns.level = SentryLevel.name(of: fields.level)
        columns.message = SentryMessage.find(in: fields, json, &room).prefix(characters: TextLimit.message)
        columns.platform = text(fields.platform, TextLimit.platform)
        columns.environment = text(fields.environment, TextLimit.environment)
        columns.release = text(fields.release, TextLimit.release)
        columns.serverName = text(fields.server_name, TextLimit.serverName)
        columns.logger = text(fields.logger, TextLimit.logger)
        columns.transaction =
            text(fields.transaction, TextLimit.transaction) ?? text(fields.culprit, TextLimit.transaction)
        for (name, value) in json.members(of: fields.sdk) where fields.sdk.kind == .object {
            if name.equals("name") { columns.sdkName = text(value, TextLimit.sdk, &room) }
            if name.equals("version") { columns.sdkVersion = text(value, TextLimit.sdk, &room) }
        }
    }

    /// Fills in by whom the event was sent, from `NAME/VERSION`.
    static func fill(_ columns: inout EventColumns, from client: [UInt8], _ room: inout TextRoom) {
        let start = room.count
        client.withUnsafeBytes { room.append($0) }
        let text = room.text(from: start)
        let end = text.lastIndex(of: UInt8(ascii: "/")) ?? text.count
        let version = text.dropFirst(end + 1)
        if end > 0 { columns.sdkName = UnsafeRawBufferPointer(rebasing: text[..<end]) }
        if !version.isEmpty { columns.sdkVersion = UnsafeRawBufferPointer(rebasing: version) }
    }

    /// The text of a column; nil when there is none.
    private static func text(_ value: mesher_json_value, _ limit: Int) -> UnsafeRawBufferPointer? {
        value.isText ? value.bytes.prefix(characters: limit) : nil
    }

    /// The same of a value whose escapes are yet to be resolved.
    private static func text(
        _ value: mesher_json_value, _ limit: Int, _ room: inout TextRoom
    ) -> UnsafeRawBufferPointer? {
        value.isText ? room.content(of: value).prefix(characters: limit) : nil
    }

    /// The event's own id. That of all zeros is what some senders have instead of none: by it one event would hide another.
    static func identifier(_ value: mesher_json_value) -> UInt128? {
        guard value.kind == .string, let id = EventIdentifier.parse(value.bytes), id != 0 else { return nil }
        return id
    }

    /// A sender's clock may be so far from ours, in microseconds, before its times are corrected by the difference.
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
        case .string:
            isSeconds(value.bytes) ? try? Timestamp.seconds(value.bytes) : try? Timestamp.dateTime(value.bytes)
        default: nil
        }
    }

    /// Digits, and perhaps a point and digits.
    private static func isSeconds(_ text: UnsafeRawBufferPointer) -> Bool {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        return parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(UnsafeRawBufferPointer.isDigit) }
    }
}
