import CJSON

/// Room for texts that are made of an event's, such as a message with its parameters put in. What has no room any more is
/// left out.
struct TextRoom: ~Copyable {
    private var room = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// The bytes in use.
    private(set) var count = 0

    /// An event of this size, in bytes, leaves its room behind for the next.
    private static let keptSize = 64 << 10

    /// What is made may be longer than what it was made of: a parameter may be put into a message many times.
    private static let surplus = 64 << 10

    init() {}

    deinit {
        room.deallocate()
    }

    /// Makes the room empty, and large enough for all tags of an event of so many bytes, all other strings, and a message.
    mutating func prepare(for size: Int) {
        count = 0
        let wanted = 2 * max(size, Self.keptSize) + Self.surplus
        guard room.count < wanted else { return }
        room.deallocate()
        room = .allocate(byteCount: wanted, alignment: 1)
    }

    /// Gives the memory back if it is much.
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

    /// Appends a string's content, or the text of anything else.
    mutating func append(contentOf value: mesher_json_value) {
        guard value.has_escapes != 0 else { return append(value.bytes) }
        guard Int(value.count) <= room.count - count, let free = room.baseAddress else { return }
        var value = value
        count += mesher_json_resolve(&value, (free + count).assumingMemoryBound(to: UInt8.self))
    }

    /// What was appended since `count` was `start`.
    func text(from start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: room[min(start, count)..<count])
    }

    /// The content of a string or the text of anything else, which needs room only if it has escapes.
    mutating func content(of value: mesher_json_value) -> UnsafeRawBufferPointer {
        guard value.has_escapes != 0 else { return value.bytes }
        let start = count
        append(contentOf: value)
        return text(from: start)
    }

    /// Forgets what was appended since `count` was `start`.
    mutating func remove(from start: Int) {
        count = min(start, count)
    }
}
