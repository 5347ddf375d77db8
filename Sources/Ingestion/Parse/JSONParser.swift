import CJSON

/// Checks JSON texts and finds what is in them; owns the buffers for that.
struct JSONParser: ~Copyable {
    /// Nil when there was no memory.
    private let parser: OpaquePointer?

    /// - Parameter fields: the names of those that `event` finds.
    init(fields: [StaticString] = []) {
        let names = fields.map { mesher_json_name(start: $0.utf8Start, count: $0.utf8CodeUnitCount) }
        parser = names.withUnsafeBufferPointer { mesher_json_create($0.baseAddress, $0.count) }
    }

    deinit {
        mesher_json_destroy(parser)
    }

    /// The fields of an event, as views into `bytes` or this parser that hold until `trim` or the next text.
    ///
    /// Escapes in `bytes` that PostgreSQL accepts in no text are replaced by U+FFFD in place.
    mutating func event(
        in bytes: UnsafeMutableRawBufferPointer, _ dialect: mesher_json_dialect
    ) throws(Refusal) -> EventFields {
        guard let parser else { throw JSONFault.refusal(.out_of_memory, at: 0) }
        var event = mesher_json_event()
        var offset = 0
        let fault = mesher_json_parse_event(parser, dialect, bytes.baseAddress, bytes.count, &event, &offset)
        guard fault == .none else { throw JSONFault.refusal(fault, at: offset) }
        return EventFields(event)
    }

    /// The members of an object or an array in the event parsed last, with views as those of its fields; anything else has
    /// none.
    func members(of container: mesher_json_value) -> JSONMembers {
        JSONMembers(of: container, parser)
    }

    /// The member of this name, the last if there are several; absent when there is none.
    func member(_ name: StaticString, of container: mesher_json_value) -> mesher_json_value {
        var found = mesher_json_value()
        for member in members(of: container) where member.name.kind == .string && member.name.equals(name) {
            found = member.value
        }
        return found
    }

    /// Releases the memory of a large event.
    mutating func trim() {
        if let parser { mesher_json_trim(parser) }
    }

    /// The elements of an array, as ranges of `bytes`; at most `maximum`, more are refused.
    ///
    /// Escapes are replaced as by `event(in:)`.
    mutating func elements(
        of bytes: UnsafeMutableRawBufferPointer, maximum: Int
    ) throws(Refusal) -> [Range<Int>] {
        guard let parser else { throw JSONFault.refusal(.out_of_memory, at: 0) }
        // An element takes at least one byte, plus one to separate it from the next.
        let capacity = min(maximum, bytes.count / 2 + 1)
        var found = 0
        var offset = 0
        var fault = mesher_json_fault.none
        let ranges = [mesher_json_range](unsafeUninitializedCapacity: capacity) { ranges, count in
            fault = mesher_json_split(
                parser, bytes.baseAddress, bytes.count, ranges.baseAddress, capacity, &found, &offset)
            count = found
        }
        if fault == .too_many_elements { throw BulkSplitter.tooManyEvents(maximum) }
        guard fault == .none else { throw JSONFault.refusal(fault, at: offset) }
        return ranges.map { $0.start..<$0.end }
    }
}
