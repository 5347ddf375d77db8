import CZstandard

/// Zstandard's decompressor (RFC 8878), piece by piece; its tables are kept from one body to the next. The corresponding C
/// function is `ZSTD_decompressStream`.
struct ZstandardStream: ~Copyable, DecodingStream {
    /// Bytes that are kept between two bodies: tables, and a small window.
    private static let keptSize = 512 << 10

    private var context: OpaquePointer?

    deinit {
        ZSTD_freeDCtx(context)
    }

    /// Begins a body. False when there is no memory for it.
    ///
    /// - Parameter windowLog: the largest window that is allowed, as a power of two.
    mutating func begin(windowLog: Int32) -> Bool {
        if context == nil { context = ZSTD_createDCtx() }
        guard let context else { return false }
        ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
        return ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLog)) == 0
    }

    mutating func next(
        _ bytes: inout UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> DecodedPiece {
        guard let context else { return .invalid }
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var output = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
        let result = ZSTD_decompressStream(context, &output, &input)
        guard ZSTD_isError(result) == 0 else { return .invalid }
        bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(input.pos))
        // 0: a frame is complete, and all of it is in the room.
        return result == 0 ? .end(output.pos) : .more(output.pos)
    }

    /// Another frame may follow; the library begins it by itself.
    mutating func beginNext() -> Bool { true }

    /// Gives back the memory that a body with a large window took.
    mutating func end() {
        guard let context, ZSTD_sizeof_DCtx(context) > Self.keptSize else { return }
        ZSTD_freeDCtx(context)
        self.context = nil
    }
}
