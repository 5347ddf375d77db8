import CZstandard

/// Zstandard's decompressor, whose tables are kept from one body to the next.
struct ZstandardDecoder: ~Copyable {
    private var context: OpaquePointer?

    deinit {
        ZSTD_freeDCtx(context)
    }

    /// Decodes one or more frames (RFC 8878) into `room`.
    ///
    /// The whole room is the window, so that a frame that asks for a large one gets no memory of its own. The
    /// corresponding C function is `ZSTD_decompressDCtx`.
    mutating func decode(
        _ bytes: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Decoder.Result {
        if context == nil { context = ZSTD_createDCtx() }
        guard let context else { return .invalid }
        let result = ZSTD_decompressDCtx(context, room.baseAddress, room.count, bytes.baseAddress, bytes.count)
        if ZSTD_isError(result) == 0 { return .decoded(result) }
        return ZSTD_getErrorCode(result) == ZSTD_error_dstSize_tooSmall ? .tooLarge : .invalid
    }
}
