import CJSON

/// Room for texts derived from an event's, such as a message with its parameters filled in. What does not fit is left
/// out.
struct TextRoom: ~Copyable {
    private var room = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// The bytes in use.
    private(set) var count = 0

    /// Up to this size of an event, in bytes, the room is kept for the next.
    private static let keptSize = 64 << 10

    /// A derived text may be longer than its source: a parameter may occur in a message many times.
    private static let surplus = 64 << 10

    init() {}

    deinit {
        room.deallocate()
    }

    /// Empties the room, and makes it large enough for all tags and other strings of an event of this size, and a
    /// message.
    mutating func prepare(for size: Int) {
        count = 0
        let wanted = 2 * max(size, Self.keptSize) + Self.surplus
        guard room.count < wanted else { return }
        room.deallocate()
        room = .allocate(byteCount: wanted, alignment: 1)
    }

    /// Releases a large buffer.
    mutating func trim() {
        guard room.count > 2 * Self.keptSize + Self.surplus else { return }
        room.deallocate()
        room = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        count = 0
    }

    mutating func append(_ byte: UInt8) {
        guard count < room.count else { return }
        room[count] = byte
        count += 1
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= room.count - count else { return }
        UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    mutating func append(_ text: StaticString) {
        append(text.bytes)
    }

    /// Appends a string's content, or anything else as JSON.
    mutating func append(contentOf value: mesher_json_value) {
        if Self.isContainer(value) { return append(compacting: value.bytes) }
        guard value.has_escapes != 0 else { return append(value.bytes) }
        guard Int(value.count) <= room.count - count, let free = room.baseAddress else { return }
        var value = value
        count += mesher_json_resolve(&value, (free + count).assumingMemoryBound(to: UInt8.self))
    }

    private static func isContainer(_ value: mesher_json_value) -> Bool {
        value.kind == .array || value.kind == .object
    }

    /// Appends a valid JSON text without the white space between its values, and without the escapes in its strings
    /// that need not be. Anything beyond the longest message is left out.
    private mutating func append(compacting json: UnsafeRawBufferPointer) {
        let longest = 4 * TextLimit.message
        let start = count
        var isString = false
        var position = 0
        while position < json.count, count - start < longest {
            let byte = json[position]
            var size = 1
            if byte == UInt8(ascii: "\"") { isString.toggle() }
            if isString, byte == UInt8(ascii: "\\") {
                size = append(escape: json, at: position)
            } else if isString || !(byte == 0x20 || (0x09...0x0D).contains(byte)) {
                append(byte)
            }
            position += size
        }
    }

    /// Appends the character that an escape of a valid text stands for, or the escape where it must be; returns its size.
    private mutating func append(escape json: UnsafeRawBufferPointer, at position: Int) -> Int {
        let isUnit = json.starts(at: position, with: "\\u")
        // The two halves of a character beyond U+FFFF stand together.
        let isHalf =
            isUnit && position + 3 < json.count && UnsafeRawBufferPointer.hexDigit(json[position + 2]) == 13
            && UnsafeRawBufferPointer.hexDigit(json[position + 3]) ?? 0 >= 8
        let size = min(isHalf ? 12 : isUnit ? 6 : 2, json.count - position)
        let escape = UnsafeRawBufferPointer(rebasing: json[position..<(position + size)])
        guard isUnit || escape.equals("\\/") else {
            append(escape)
            return size
        }
        let start = count
        var value = mesher_json_value()
        value.kind = .string
        value.has_escapes = 1
        value.start = escape.bindMemory(to: UInt8.self).baseAddress
        value.count = UInt32(size)
        append(contentOf: value)
        if start < count, room[start] < 0x20 || room[start] == UInt8(ascii: "\"") || room[start] == UInt8(ascii: "\\") {
            remove(from: start)
            append(escape)
        }
        return size
    }

    /// Appends text as a JSON string has it between its quotes, RFC 8259, section 7.
    mutating func append(escaping text: UnsafeRawBufferPointer) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0..<0x20:
                append(byte < 0x10 ? "\\u000" : "\\u001")
                let digit = byte & 0xf
                append(digit < 10 ? 0x30 &+ digit : 0x61 &+ digit &- 10)
            default: append(byte)
            }
        }
    }

    /// What was appended since `count` was `start`.
    func text(from start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: room[min(start, count)..<count])
    }

    /// The same, which needs room only for an object, an array, and a string that has escapes.
    mutating func content(of value: mesher_json_value) -> UnsafeRawBufferPointer {
        guard value.has_escapes != 0 || Self.isContainer(value) else { return value.bytes }
        let start = count
        append(contentOf: value)
        return text(from: start)
    }

    /// Forgets what was appended since `count` was `start`.
    mutating func remove(from start: Int) {
        count = min(start, count)
    }
}
