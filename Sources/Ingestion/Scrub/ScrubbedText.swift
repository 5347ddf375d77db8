/// A JSON text with other texts in the place of some of its parts. Nothing is copied before the first.
struct ScrubbedText: ~Copyable {
    /// How many bytes longer it may become. After that shorter marks are written, which are never longer than what they replace.
    private static let surplus = 64 << 10
    /// Up to this size, in bytes, the room is kept for the next.
    private static let keptSize = 256 << 10

    private var source = UnsafeRawBufferPointer(start: nil, count: 0)
    private var room = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var count = 0
    /// How many bytes of the source are written, or replaced.
    private var done = 0
    private var grown = 0
    private(set) var hasChanges = false
    /// Whether something did not fit, which would be a fault in here.
    private var isBroken = false

    init() {}

    deinit {
        room.deallocate()
    }

    mutating func begin(_ source: UnsafeRawBufferPointer) {
        self.source = source
        count = 0
        done = 0
        grown = 0
        hasChanges = false
        isBroken = false
    }

    /// All of it, with `Body.padding` bytes behind it; empty after a fault.
    mutating func finish() -> UnsafeMutableRawBufferPointer {
        copy(until: source.count)
        return UnsafeMutableRawBufferPointer(rebasing: room[..<(isBroken ? 0 : count)])
    }

    /// Releases a large buffer.
    mutating func trim() {
        guard room.count > Self.keptSize else { return }
        room.deallocate()
        room = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    /// Writes what precedes a position of the source.
    mutating func copy(until end: Int) {
        prepare()
        if end > done { append(UnsafeRawBufferPointer(rebasing: source[done..<end])) }
        done = max(done, end)
    }

    /// Goes on behind a part of the source.
    mutating func skip(to end: Int) {
        done = max(done, end)
    }

    /// Whether the text may grow by so many bytes, which are counted then.
    mutating func mayGrow(by size: Int) -> Bool {
        guard grown + size <= Self.surplus else { return false }
        grown += size
        return true
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= room.count - count - Body.padding else {
            isBroken = true
            return
        }
        UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    /// Appends text as a JSON string has it, with the shortest escapes.
    mutating func append(escaping text: UnsafeRawBufferPointer) {
        var plain = 0
        for position in text.indices {
            let byte = text[position]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            append(UnsafeRawBufferPointer(rebasing: text[plain..<position]))
            plain = position + 1
            append(escape: byte)
        }
        append(UnsafeRawBufferPointer(rebasing: text[plain...]))
    }

    mutating func append(escape byte: UInt8) {
        switch byte {
        case 0x08: append(StaticString("\\b").bytes)
        case 0x09: append(StaticString("\\t").bytes)
        case 0x0A: append(StaticString("\\n").bytes)
        case 0x0C: append(StaticString("\\f").bytes)
        case 0x0D: append(StaticString("\\r").bytes)
        case UInt8(ascii: "\""): append(StaticString("\\\"").bytes)
        case UInt8(ascii: "\\"): append(StaticString("\\\\").bytes)
        case 0x20...: withUnsafeBytes(of: byte) { append($0) }
        default:
            append(StaticString("\\u00").bytes)
            let digits: [UInt8] = [byte < 0x10 ? 0x30 : 0x31, byte & 0xF < 10 ? 0x30 | byte & 0xF : 0x57 + byte & 0xF]
            digits.withUnsafeBytes { append($0) }
        }
    }

    private mutating func prepare() {
        hasChanges = true
        let wanted = source.count + Self.surplus + 2 * Body.padding
        guard room.count < wanted else { return }
        room.deallocate()
        room = .allocate(byteCount: max(wanted, Self.keptSize), alignment: 16)
        count = 0
    }
}
