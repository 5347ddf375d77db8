import CZlib

/// zlib's decompressor, whose window and tables are kept from one body to the next.
struct Inflater: ~Copyable {
    /// What surrounds the deflated blocks; the raw value is `windowBits` of the C function `inflateInit2`.
    enum Format: Int32 {
        /// RFC 1952.
        case gzip = 31
        /// RFC 1950: what HTTP calls deflate.
        case zlib = 15
        /// RFC 1951: what some senders take deflate for.
        case raw = -15

        /// Which of the two a body is whose coding is said to be deflate: one that begins with a zlib header is zlib. A
        /// raw body cannot, for in that place it would have set a padding bit of a stored block.
        init(ofDeflate bytes: UnsafeRawBufferPointer) {
            let isZlib = bytes.count >= 2 && bytes[0] & 0x0F == 8 && (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0
            self = isZlib ? .zlib : .raw
        }
    }

    /// zlib's state points back at the stream, which therefore may not move; nil before the first body.
    private var stream: UnsafeMutablePointer<z_stream>?

    deinit {
        guard let stream else { return }
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Inflates `bytes`, of which there is at least one, into `room`.
    mutating func inflate(
        _ bytes: UnsafeRawBufferPointer, _ format: Format, into room: UnsafeMutableRawBufferPointer
    ) -> Decoder.Result {
        guard let stream = ready(format) else { return .invalid }
        // zlib reads only, but its type does not say so.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(clamping: bytes.count)
        stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(clamping: room.count)
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
