internal import CZlib

/// zlib's decompressor, piece by piece; window and tables are kept from one body to the next. The corresponding C function
/// is `inflate`.
package struct Inflater: ~Copyable {
    /// What surrounds the deflated blocks; the raw value is `windowBits` of the C function `inflateInit2`.
    package enum Format: Int32, Sendable {
        /// RFC 1952.
        case gzip = 31
        /// RFC 1950: what HTTP calls deflate.
        case zlib = 15
        /// RFC 1951: what some senders take deflate for, and what a WebSocket message is compressed with.
        case raw = -15

        /// Which of the two a body is whose coding is said to be deflate: one that begins with a zlib header is zlib. A
        /// raw body cannot, for in that place it would have set a padding bit of a stored block.
        package init(ofDeflate bytes: UnsafeRawBufferPointer) {
            let isZlib = bytes.count >= 2 && bytes[0] & 0x0F == 8 && (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0
            self = isZlib ? .zlib : .raw
        }
    }

    /// How far a step has come.
    package enum Progress: Equatable, Sendable {
        /// This many bytes. If there is room left, all input was inflated.
        case more(Int)
        /// This many bytes, with which the stream, or this member of it, ends.
        case end(Int)
        /// The stream is damaged.
        case invalid
    }

    /// zlib's state points back at the stream, which therefore may not move; nil before the first body.
    private var stream: UnsafeMutablePointer<z_stream>?

    package init() {}

    deinit {
        guard let stream else { return }
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Begins a stream. False when there is no memory for it.
    package mutating func begin(_ format: Format) -> Bool {
        if let stream { return inflateReset2(stream, format.rawValue) == Z_OK }
        let new = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        new.initialize(to: z_stream())
        guard inflateInit2_(new, format.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            new.deallocate()
            return false
        }
        stream = new
        return true
    }

    /// Begins what follows the end of a stream: another of the same format.
    package mutating func beginNext() -> Bool {
        guard let stream else { return false }
        return inflateReset(stream) == Z_OK
    }

    /// Inflates more into `room`, and drops from the front of `bytes` what it has read.
    package mutating func inflate(
        _ bytes: inout UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Progress {
        guard let stream else { return .invalid }
        // zlib reads only, but its type does not say so.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(clamping: bytes.count)
        stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(clamping: room.count)
        let available = stream.pointee.avail_in
        let status = CZlib.inflate(stream, Z_SYNC_FLUSH)
        bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(Int(available - stream.pointee.avail_in)))
        let count = room.count - Int(stream.pointee.avail_out)
        switch status {
        // Z_BUF_ERROR: nothing could be done, since all was read or the room is full.
        case Z_OK, Z_BUF_ERROR: return .more(count)
        case Z_STREAM_END: return .end(count)
        default: return .invalid
        }
    }

    /// Whether the stream stands between two blocks, so that what came is whole. The corresponding C field is `data_type`.
    package var isBetweenBlocks: Bool {
        guard let stream else { return false }
        return stream.pointee.data_type & 128 != 0
    }
}
