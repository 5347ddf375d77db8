import CZstandard

/// Zstandard's decompressor (RFC 8878) for one body, piece by piece. The corresponding C function is
/// `ZSTD_decompressStream`.
struct ZstandardStream: ~Copyable, DecodingStream {
    /// The largest window that is held for a body, as a power of two: what RFC 8878, section 3.1.1.1.2, asks for.
    private static let windowLog: Int32 = 23

    /// Nil when there was no memory.
    private let context: OpaquePointer?

    init() {
        context = ZSTD_createDCtx()
        if let context { ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLog) }
    }

    deinit {
        ZSTD_freeDCtx(context)
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
        // 0: a frame is complete, and all of it is in the room; another may follow.
        if result == 0 { return bytes.isEmpty ? .last(output.pos) : .some(output.pos) }
        return output.pos == room.count || !bytes.isEmpty ? .some(output.pos) : .invalid
    }
}
