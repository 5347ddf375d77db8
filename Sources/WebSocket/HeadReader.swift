/// Collects the head of an HTTP message, up to its empty line, from bytes in pieces.
package struct HeadReader: ~Copyable {
    /// The most bytes of a head.
    package static let limit = 8 << 10

    package enum Progress: Equatable, Sendable {
        case incomplete
        /// The head is whole.
        case complete
        /// It is longer than the limit.
        case tooLong
    }

    private var buffer = ByteBuffer()
    private var isAtLineStart = false

    package init() {}

    /// How many bytes of the head have come.
    package var count: Int { buffer.count }

    /// Removes what belongs to the head from the front of `bytes`, and leaves the rest.
    package mutating func receive(_ bytes: inout UnsafeRawBufferPointer) -> Progress {
        let end = endOfHead(bytes)
        let taken = end ?? bytes.count
        guard taken <= Self.limit - buffer.count else { return .tooLong }
        buffer.append(UnsafeRawBufferPointer(rebasing: bytes[..<taken]))
        bytes = UnsafeRawBufferPointer(rebasing: bytes[taken...])
        return end == nil ? .incomplete : .complete
    }

    /// Passes on what has come so far.
    package func withHead<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(buffer.bytes)
    }

    /// A line of only CRs ends it too: `HTTPHead` refuses it, and waiting longer would only keep such a client's
    /// connection open.
    private mutating func endOfHead(_ bytes: UnsafeRawBufferPointer) -> Int? {
        for (index, byte) in bytes.enumerated() {
            if byte == 0x0A {
                if isAtLineStart { return index + 1 }
                isAtLineStart = true
            } else if byte != 0x0D {
                isAtLineStart = false
            }
        }
        return nil
    }
}
