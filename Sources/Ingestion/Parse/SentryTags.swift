import CJSON

/// The tags of Sentry SDKs as one JSON object: they come as one, or as an array of pairs.
///
/// A name is a text that is not empty, or a number; a value is a text, a number, a boolean or null, and kept as such.
/// Anything else is left out. A text that is too long is truncated; a value's text is trimmed.
enum SentryTags {
    /// The object's text; nil when there is no tag.
    static func object(
        of tags: mesher_json_value, _ json: borrowing JSONParser, _ room: inout TextRoom
    ) -> UnsafeRawBufferPointer? {
        var object = TagObject(in: room)
        // No real sender has numbers beyond PostgreSQL's in tags: then none of them is kept.
        let takesNumbers = tags.fits_numeric != 0
        for (name, value) in json.members(of: tags) {
            if object.isFull { break }
            if tags.kind == .object {
                if takesNumbers || value.kind != .number { append(name, value, to: &object, &room) }
            } else if value.kind == .array {
                var pair = json.members(of: value)
                guard let name = pair.next()?.value, let value = pair.next()?.value, pair.next() == nil else {
                    continue
                }
                if takesNumbers || value.kind != .number { append(name, value, to: &object, &room) }
            }
        }
        return object.finish(&room)
    }

    /// The object with these tags, those of them that are texts.
    static func object(
        _ tags: [(name: StaticString, value: mesher_json_value)], _ room: inout TextRoom
    ) -> UnsafeRawBufferPointer? {
        var object = TagObject(in: room)
        for (name, value) in tags where value.isText {
            append(mesher_json_value(name), value, to: &object, &room)
        }
        return object.finish(&room)
    }

    private static func append(
        _ name: mesher_json_value, _ value: mesher_json_value, to object: inout TagObject, _ room: inout TextRoom
    ) {
        guard name.isText, value.kind != .object, value.kind != .array else { return }
        var name = name
        name.shorten(to: EscapedText(name.bytes).prefix(characters: TextLimit.tagKey))
        var value = value
        if value.kind == .string {
            value.shorten(to: EscapedText(value.bytes).trimmingWhiteSpace().prefix(characters: TextLimit.tagValue))
        } else if value.count > TextLimit.tagValue {
            return
        }
        object.append(name, value, &room)
    }
}
