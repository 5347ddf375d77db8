internal import CZlib

/// zlib's compressor, for one message at a time.
package enum Deflater {
    /// Compresses `bytes` into raw deflated blocks (RFC 1951) that end at a byte's boundary with an empty stored block,
    /// and calls `sink` with one piece after another.
    ///
    /// It needs 256 kB while it works, and keeps none of it: an idle connection must not hold it.
    ///
    /// - Parameter windowBits: how far back the blocks may point, 2^9 to 2^15 bytes.
    /// - Returns: false when there is no memory, or `windowBits` is none that zlib can keep to.
    package static func deflate(
        _ bytes: UnsafeRawBufferPointer, windowBits: Int32, _ sink: (UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        guard (9...15).contains(windowBits) else { return false }
        // zlib's state points back at the stream, which therefore may not move.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        defer { stream.deallocate() }
        stream.initialize(to: z_stream())
        let status = deflateInit2_(
            stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { return false }
        defer { deflateEnd(stream) }
        // zlib reads only, but its type does not say so.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(clamping: bytes.count)
        return withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 16) { room in
            repeat {
                stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
                stream.pointee.avail_out = UInt32(clamping: room.count)
                let status = CZlib.deflate(stream, Z_SYNC_FLUSH)
                guard status == Z_OK || status == Z_BUF_ERROR else { return false }
                sink(UnsafeRawBufferPointer(rebasing: room[..<(room.count - Int(stream.pointee.avail_out))]))
            } while stream.pointee.avail_out == 0
            return true
        }
    }
}
