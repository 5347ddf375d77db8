import CBrotli

/// Brotli's decompressor. The library offers no way to use one twice.
enum BrotliDecoder {
    /// Decodes a stream (RFC 7932) into `room`. The corresponding C function is `BrotliDecoderDecompressStream`.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Decoder.Result {
        guard let decoder = BrotliDecoderCreateInstance(nil, nil, nil) else { return .invalid }
        defer { BrotliDecoderDestroyInstance(decoder) }
        var input = bytes.bindMemory(to: UInt8.self).baseAddress
        var inputLeft = bytes.count
        var output = room.bindMemory(to: UInt8.self).baseAddress
        var outputLeft = room.count
        switch BrotliDecoderDecompressStream(decoder, &inputLeft, &input, &outputLeft, &output, nil) {
        case BROTLI_DECODER_RESULT_SUCCESS:
            return inputLeft == 0 ? .decoded(room.count - outputLeft) : .invalid
        case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
            return .tooLarge
        default:
            return .invalid
        }
    }
}
