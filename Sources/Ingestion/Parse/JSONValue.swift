import CJSON

extension mesher_json_value {
    /// A string, which needs no escapes.
    init(_ text: StaticString) {
        self.init()
        kind = .string
        start = text.utf8Start
        count = UInt32(text.utf8CodeUnitCount)
    }

    /// Whether there is a value other than null.
    var isPresent: Bool { kind != .absent && kind != .null }

    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start, count: Int(count))
    }

    /// Leaves a part of its bytes.
    mutating func shorten(to part: UnsafeRawBufferPointer) {
        start = part.baseAddress?.assumingMemoryBound(to: UInt8.self)
        count = UInt32(truncatingIfNeeded: part.count)
    }

    /// The bytes of a column; nil is NULL.
    var text: UnsafeRawBufferPointer? {
        isPresent ? bytes : nil
    }

    /// Whether it is a non-empty text, or a number, which counts as one.
    var isText: Bool { count > 0 && (kind == .string || kind == .number) }

    /// A whole number from 0 to 999,999,999,999,999, written plainly; nil for anything else.
    var wholeNumber: Int? {
        guard kind == .number, count <= 15 else { return nil }
        var number = 0
        for byte in bytes {
            guard UnsafeRawBufferPointer.isDigit(byte) else { return nil }
            number = number * 10 + Int(byte & 0xf)
        }
        return number
    }

    /// Whether it is this text, which needs no escapes.
    func equals(_ text: StaticString) -> Bool { bytes.equals(text) }
}
