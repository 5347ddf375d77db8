import CJSON

/// The object that becomes the column `tags`, built tag by tag. Tags beyond its bounds are only in the payload.
///
/// PostgreSQL sorts an object's keys for jsonb, by a quicksort whose worst case is quadratic. Up to `values` keys the
/// worst case costs no more per byte than a short object.
struct TagObject {
    /// The most values, at any level.
    private static let values = 256
    /// The most bytes of its text.
    private static let bytes = 128 << 10

    /// Where in the room it begins.
    private let start: Int
    private var values = 0

    init(in room: borrowing TextRoom) {
        start = room.count
    }

    /// Whether an object may be kept as it is.
    static func holds(_ object: mesher_json_value) -> Bool {
        object.values <= values && object.count <= bytes
    }

    /// Whether nothing can be added any more.
    var isFull: Bool { values >= Self.values }

    /// Adds a tag, unless there is no room; strings have their escapes, as in the event's text.
    mutating func append(_ name: mesher_json_value, _ value: mesher_json_value, _ room: inout TextRoom) {
        // A comma or brace, the name's quotes and the colon, the value's quotes, the closing brace.
        let size = Int(name.count) + Int(value.count) + 7
        let added = 1 + Int(value.values)
        guard values + added <= Self.values, room.count - start + size <= Self.bytes else { return }
        values += added
        room.append(room.count == start ? UInt8(ascii: "{") : UInt8(ascii: ","))
        quote(name.bytes, &room)
        room.append(UInt8(ascii: ":"))
        if value.kind == .string { quote(value.bytes, &room) } else { room.append(value.bytes) }
    }

    private func quote(_ text: UnsafeRawBufferPointer, _ room: inout TextRoom) {
        room.append(UInt8(ascii: "\""))
        room.append(text)
        room.append(UInt8(ascii: "\""))
    }

    /// The object's text; nil when there is no tag.
    func finish(_ room: inout TextRoom) -> UnsafeRawBufferPointer? {
        guard room.count > start else { return nil }
        room.append(UInt8(ascii: "}"))
        return room.text(from: start)
    }
}
