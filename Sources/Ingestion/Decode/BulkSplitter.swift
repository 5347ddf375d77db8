import Glibc

/// Finds the events of a bulk body.
package enum BulkSplitter {
    /// The events as ranges of the body's bytes, without the white space around them; at least one and at most `maximum`.
    ///
    /// A body that begins with a bracket is a JSON array, and refused whole when it is not valid. One that begins with a
    /// brace can only be one event per line (blank lines don't count, CRLF is allowed), each valid or not by itself. Any other
    /// is taken as `isNDJSON` says.
    ///
    /// Throws `invalidJSON`, `invalidEvent`, `tooManyEvents` or `emptyBulk`.
    package static func split(
        _ bytes: UnsafeMutableRawBufferPointer, isNDJSON: Bool, maximum: Int
    ) throws(Refusal) -> [Range<Int>] {
        let maximum = max(maximum, 0)
        let isArray =
            switch bytes.first(where: { !UnsafeRawBufferPointer.isJSONSpace($0) }) {
            case UInt8(ascii: "["): true
            case UInt8(ascii: "{"): false
            default: !isNDJSON
            }
        let events: [Range<Int>]
        if isArray {
            var parser = JSONParser()
            events = try parser.elements(of: bytes, maximum: maximum)
        } else {
            events = try lines(of: UnsafeRawBufferPointer(bytes), maximum: maximum)
        }
        guard !events.isEmpty else { throw Refusal(.emptyBulk, "empty bulk request") }
        return events
    }

    /// Whether the first byte that is no white space is a bracket.
    package static func isArray(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.first { !UnsafeRawBufferPointer.isJSONSpace($0) } == UInt8(ascii: "[")
    }

    static func tooManyEvents(_ maximum: Int) -> Refusal {
        Refusal(.tooManyEvents, "too many events in bulk request (max \(maximum))")
    }

    private static func lines(
        of bytes: UnsafeRawBufferPointer, maximum: Int
    ) throws(Refusal) -> [Range<Int>] {
        var events: [Range<Int>] = []
        var start = 0
        while start < bytes.count {
            let end = newline(in: bytes, from: start)
            var first = start
            var last = end
            while first < last, UnsafeRawBufferPointer.isJSONSpace(bytes[first]) { first += 1 }
            while last > first, UnsafeRawBufferPointer.isJSONSpace(bytes[last - 1]) { last -= 1 }
            if first < last {
                guard events.count < maximum else { throw tooManyEvents(maximum) }
                events.append(first..<last)
            }
            start = end + 1
        }
        return events
    }

    /// The offset of the next newline, or of the end.
    private static func newline(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard let base = bytes.baseAddress, let found = memchr(base + start, 0x0A, bytes.count - start) else {
            return bytes.count
        }
        return UnsafeRawPointer(found) - base
    }
}
