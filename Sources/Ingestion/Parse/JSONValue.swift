import CJSON

extension mesher_json_value {
    /// Whether there is a value other than null.
    var isPresent: Bool { kind != .absent && kind != .null }

    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start, count: Int(count))
    }

    /// The bytes of a column; nil is NULL.
    var text: UnsafeRawBufferPointer? {
        isPresent ? bytes : nil
    }

    func equals(_ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<bytes.count where bytes[index] != text.utf8Start[index] { return false }
        return true
    }
}
