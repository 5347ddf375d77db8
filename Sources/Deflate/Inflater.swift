internal import CZlib

/// zlib's decompressor, whose window and tables are kept from one body to the next.
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

    /// What became of a whole body.
    package enum Result: Equatable, Sendable {
        /// It stands for so many bytes.
        case decoded(Int)
        /// It stands for more bytes than there is room.
        case tooLarge
        /// It is damaged, cut short, or followed by something else.
        case invalid
    }

    /// How far a step of a stream has come.
    package enum Progress: Equatable, Sendable {
        /// All that was given is inflated, and is so many bytes.
        case inflated(Int)
        /// The room is full; there may be more.
        case full
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

    /// Inflates `bytes`, a whole body of at least one byte, into `room`.
    package mutating func inflate(
        _ bytes: UnsafeRawBufferPointer, _ format: Format, into room: UnsafeMutableRawBufferPointer
    ) -> Result {
        guard let stream = ready(format) else { return .invalid }
        Self.point(stream, at: bytes, room)
        while true {
            let status = CZlib.inflate(stream, Z_FINISH)
            guard status == Z_STREAM_END else {
                let isFull = stream.pointee.avail_out == 0 && (status == Z_OK || status == Z_BUF_ERROR)
                return isFull ? .tooLarge : .invalid
            }
            if stream.pointee.avail_in == 0 {
                return .decoded(room.count - Int(stream.pointee.avail_out))
            }
            // What follows a gzip member must be another.
            guard format == .gzip, inflateReset(stream) == Z_OK else { return .invalid }
        }
    }

    /// Begins a stream that comes in pieces. False when there is no memory for it.
    package mutating func begin(_ format: Format) -> Bool {
        ready(format) != nil
    }

    /// Inflates the next piece of the stream that was begun, and drops from the front of `bytes` what it has read.
    package mutating func inflate(
        _ bytes: inout UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Progress {
        guard let stream else { return .invalid }
        Self.point(stream, at: bytes, room)
        while true {
            let status = CZlib.inflate(stream, Z_SYNC_FLUSH)
            bytes = UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - Int(stream.pointee.avail_in))...])
            switch status {
            case Z_OK, Z_BUF_ERROR:
                if stream.pointee.avail_out == 0 { return .full }
                return .inflated(room.count - Int(stream.pointee.avail_out))
            case Z_STREAM_END:
                // A block that calls itself the last; others may follow all the same (RFC 7692, section 7.2.3.4).
                guard inflateReset(stream) == Z_OK else { return .invalid }
                if bytes.isEmpty { return .inflated(room.count - Int(stream.pointee.avail_out)) }
            default:
                return .invalid
            }
        }
    }

    /// Whether the stream stands between two blocks, so that what came is whole. The corresponding C field is `data_type`.
    package var isBetweenBlocks: Bool {
        guard let stream else { return false }
        return stream.pointee.data_type & 128 != 0
    }

    private static func point(
        _ stream: UnsafeMutablePointer<z_stream>, at bytes: UnsafeRawBufferPointer,
        _ room: UnsafeMutableRawBufferPointer
    ) {
        // zlib reads only, but its type does not say so.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(clamping: bytes.count)
        stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(clamping: room.count)
    }

    private mutating func ready(_ format: Format) -> UnsafeMutablePointer<z_stream>? {
        if let stream {
            return inflateReset2(stream, format.rawValue) == Z_OK ? stream : nil
        }
        let new = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        new.initialize(to: z_stream())
        guard inflateInit2_(new, format.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            new.deallocate()
            return nil
        }
        stream = new
        return new
    }
}
