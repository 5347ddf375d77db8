internal import CZlib

/// zlib's decompressor for one body, piece by piece. The corresponding C function is `inflate`.
package struct InflateStream: ~Copyable {
    /// What one step gave.
    package enum Piece: Sendable {
        /// So many bytes, and there are more.
        case some(Int)
        /// So many bytes, and these are the last.
        case last(Int)
        /// The body is damaged, cut short, or followed by something else.
        case invalid
    }

    private let format: Inflater.Format
    /// zlib's state points back at the stream, which therefore may not move; nil when there was no memory.
    private let stream: UnsafeMutablePointer<z_stream>?

    package init(_ format: Inflater.Format) {
        self.format = format
        let new = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        new.initialize(to: z_stream())
        if inflateInit2_(new, format.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK {
            stream = new
        } else {
            new.deallocate()
            stream = nil
        }
    }

    deinit {
        guard let stream else { return }
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Inflates more into `room`, and drops what it has read from the front of `bytes`, which are all that is left.
    package mutating func inflate(
        _ bytes: inout UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Piece {
        guard let stream else { return .invalid }
        // zlib reads only, but its type does not say so.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(clamping: bytes.count)
        stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(clamping: room.count)
        let status = CZlib.inflate(stream, Z_NO_FLUSH)
        bytes = UnsafeRawBufferPointer(rebasing: bytes.suffix(Int(stream.pointee.avail_in)))
        let count = room.count - Int(stream.pointee.avail_out)
        switch status {
        case Z_OK:
            // With room left all was read, and the end was not in it.
            return stream.pointee.avail_out == 0 ? .some(count) : .invalid
        case Z_STREAM_END:
            if bytes.isEmpty { return .last(count) }
            // What follows a gzip member must be another.
            return format == .gzip && inflateReset(stream) == Z_OK ? .some(count) : .invalid
        default:
            return .invalid
        }
    }
}
