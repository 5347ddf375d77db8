import CJSON

/// Reads the small JSON objects that are headers and reports.
struct HeaderReader: ~Copyable {
    private var json = JSONParser()
    private var room = TextRoom()

    /// Calls `use` with the name, the value and, of a string, the content of each member of an object.
    ///
    /// - Parameter text: the object; it is changed.
    ///
    /// Throws `invalidJSON`, `invalidEvent` for what is no object, and `unavailable` when there is no memory.
    mutating func forEachMember(
        of text: inout [UInt8],
        _ use: (_ name: mesher_json_value, _ value: mesher_json_value, UnsafeRawBufferPointer) -> Void
    ) throws(Refusal) {
        try withObject(text: &text) { object, json, room in
            for (name, value) in json.members(of: object) { use(name, value, room.content(of: value)) }
        }
    }

    /// Calls `use` with each member of the array that an object has under a name; none when there is no such array.
    ///
    /// Throws what `forEachMember` throws.
    mutating func forEachElement(
        _ name: StaticString, of text: inout [UInt8], _ use: (mesher_json_value, borrowing JSONParser) -> Void
    ) throws(Refusal) {
        try withObject(text: &text) { object, json, _ in
            for (_, element) in json.members(of: json.member(name, of: object)) { use(element, json) }
        }
    }

    private mutating func withObject(
        text: inout [UInt8], _ use: (mesher_json_value, borrowing JSONParser, inout TextRoom) -> Void
    ) throws(Refusal) {
        let count = text.count
        text.append(contentsOf: repeatElement(0, count: Body.padding))
        room.prepare(for: count)
        var refusal: Refusal?
        text.withUnsafeMutableBytes { bytes in
            do throws(Refusal) {
                let object = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
                use(try json.event(in: object, .strict).payload, json, &room)
            } catch {
                refusal = error
            }
        }
        json.trim()
        room.trim()
        if let refusal { throw refusal }
    }
}
