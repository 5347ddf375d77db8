import CJSON

/// A text that replaces some bytes of a payload; everything else is stored as it was sent.
struct PayloadEdit {
    /// Of the payload.
    let replaced: Range<Int>
    let text: UnsafeRawBufferPointer
    /// Between the text and the member behind it.
    let comma: UnsafeRawBufferPointer

    /// How many bytes it adds.
    var growth: Int { text.count + comma.count - replaced.count }

    /// In the place of a value of it. Nil when that is not in the payload.
    init?(of payload: mesher_json_value, replacing value: mesher_json_value, by text: UnsafeRawBufferPointer) {
        guard var range = Self.range(of: value, in: payload) else { return nil }
        // The quotes do not belong to a string's bytes.
        if value.kind == .string { range = range.lowerBound - 1..<range.upperBound + 1 }
        guard range.lowerBound >= 0, range.upperBound <= Int(payload.count) else { return nil }
        self.init(range, text, comma: "")
    }

    /// As the first member of an object in it, which may be the whole.
    init?(of payload: mesher_json_value, inserting text: UnsafeRawBufferPointer, into object: mesher_json_value) {
        guard object.kind == .object, let range = Self.range(of: object, in: payload), !range.isEmpty else {
            return nil
        }
        let start = range.lowerBound + 1
        let next = object.bytes.dropFirst().first { !(0x09...0x0D).contains($0) && $0 != 0x20 }
        self.init(start..<start, text, comma: next == UInt8(ascii: "}") ? "" : ",")
    }

    private init(_ replaced: Range<Int>, _ text: UnsafeRawBufferPointer, comma: StaticString) {
        self.replaced = replaced
        self.text = text
        self.comma = comma.bytes
    }

    private static func range(of value: mesher_json_value, in payload: mesher_json_value) -> Range<Int>? {
        guard let start = value.start, let first = payload.start else { return nil }
        let offset = start - first
        guard offset >= 0, offset + Int(value.count) <= Int(payload.count) else { return nil }
        return offset..<offset + Int(value.count)
    }
}
