import CBrotli

/// Brotli's decompressor (RFC 7932) for one body, piece by piece. It holds a window of at most 16 MiB. The corresponding C
/// function is `BrotliDecoderDecompressStream`.
struct BrotliStream: ~Copyable, DecodingStream {
    /// Nil when there was no memory.
    private let decoder = BrotliDecoderCreateInstance(nil, nil, nil)

    deinit {
        if let decoder { BrotliDecoderDestroyInstance(decoder) }
    }

    mutating func next(
        _ bytes: inout UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> DecodedPiece {
        guard let decoder else { return .invalid }
        var input = bytes.bindMemory(to: UInt8.self).baseAddress
        var inputLeft = bytes.count
        var output = room.bindMemory(to: UInt8.self).baseAddress
        var outputLeft = room.count
        let result = BrotliDecoderDecompressStream(decoder, &inputLeft, &input, &outputLeft, &output, nil)
        bytes = UnsafeRawBufferPointer(rebasing: bytes.suffix(inputLeft))
        switch result {
        case BROTLI_DECODER_RESULT_SUCCESS: return inputLeft == 0 ? .last(room.count - outputLeft) : .invalid
        case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: return .some(room.count - outputLeft)
        default: return .invalid
        }
    }
}
