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

    /// The bytes of a column; nil is NULL.
    var text: UnsafeRawBufferPointer? {
        isPresent ? bytes : nil
    }

    /// Whether it is a text that is not empty, or a number, which may stand for one.
    var isText: Bool { count > 0 && (kind == .string || kind == .number) }

    /// Whether it is this text, which needs no escapes.
    func equals(_ text: StaticString) -> Bool { bytes.equals(text) }
}
