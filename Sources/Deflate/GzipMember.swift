internal import CZlib

/// A member of a gzip file, RFC 1952; members one after another are such a file as well.
package enum GzipMember {
    /// Compresses `bytes` into a whole member, and calls `sink` with one piece after another. The corresponding C function is
    /// `deflate`.
    ///
    /// - Returns: false when there is no memory.
    package static func write(_ bytes: UnsafeRawBufferPointer, _ sink: (UnsafeRawBufferPointer) -> Void) -> Bool {
        // zlib's state points back at the stream, which therefore may not move.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        defer { stream.deallocate() }
        stream.initialize(to: z_stream())
        let status = deflateInit2_(
            stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, Inflater.Format.gzip.rawValue, 8, Z_DEFAULT_STRATEGY,
            ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { return false }
        defer { deflateEnd(stream) }
        // zlib reads only, but its type does not say so.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(clamping: bytes.count)
        return withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { room in
            while true {
                stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
                stream.pointee.avail_out = UInt32(clamping: room.count)
                let status = CZlib.deflate(stream, Z_FINISH)
                guard status == Z_OK || status == Z_STREAM_END else { return false }
                sink(UnsafeRawBufferPointer(rebasing: room[..<(room.count - Int(stream.pointee.avail_out))]))
                if status == Z_STREAM_END { return true }
            }
        }
    }
}
