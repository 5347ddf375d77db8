import CJSON

/// The names of fields that are looked for in small objects, such as headers.
struct JSONFields {
    private let names: [StaticString]

    /// - Parameter names: at least one; none that needs an escape.
    init(_ names: [StaticString]) {
        self.names = names
    }

    /// The values of the fields in their order, as views into `bytes`, behind which `Body.padding` bytes must be readable.
    /// The escapes of strings are resolved in place, so that `bytes` are no JSON any more.
    ///
    /// Throws `invalidJSON`, `invalidEvent` for what is no object, and `unavailable` when there is no memory.
    func find(
        in bytes: UnsafeMutableRawBufferPointer, _ json: borrowing JSONParser
    ) throws(Refusal) -> [mesher_json_value] {
        guard let parser = json.parser else { throw .unavailable }
        var offset = 0
        var fault = mesher_json_fault.none
        var values = [mesher_json_value](repeating: mesher_json_value(), count: names.count)
        values.withUnsafeMutableBufferPointer { values in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>.self, capacity: names.count) { pointers in
                for (place, name) in names.enumerated() {
                    pointers.initializeElement(
                        at: place, to: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self))
                }
                guard let values = values.baseAddress, let pointers = pointers.baseAddress else { return }
                fault = mesher_json_find_fields(
                    parser, bytes.baseAddress, bytes.count, pointers, values, names.count, &offset)
            }
        }
        guard fault == .none else { throw JSONFault.refusal(fault, at: offset) }
        return values
    }
}

extension mesher_json_value {
    /// The content of a string, nil for anything else.
    var string: UnsafeRawBufferPointer? {
        kind == .string ? UnsafeRawBufferPointer(start: start, count: Int(count)) : nil
    }

    /// A whole number from 0 to 999,999,999,999,999, written plainly; nil for anything else.
    var wholeNumber: Int? {
        guard kind == .number, count <= 15 else { return nil }
        var number = 0
        for byte in UnsafeRawBufferPointer(start: start, count: Int(count)) {
            guard (0x30...0x39).contains(byte) else { return nil }
            number = number * 10 + Int(byte & 0xf)
        }
        return number
    }
}
