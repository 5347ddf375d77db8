import CBrotli
internal import Glibc

/// Brotli's decompressor (RFC 7932) for one body, piece by piece. The library cannot reuse it. The corresponding C
/// function is `BrotliDecoderDecompressStream`.
///
/// The library outputs nothing before it has filled its window of up to 16 MiB, for which 14 bytes suffice. But before
/// it decodes, it allocates what the stream announces, rounded up to a power of two. So a body that is too large is
/// refused by refusing that allocation, and costs no more than one of the permitted size.
struct BrotliStream: ~Copyable, DecodingStream {
    /// Nil when there was no memory.
    private let decoder: OpaquePointer?

    /// - Parameter largest: the most bytes that the library may have in one piece.
    init(largest: Int) {
        // The library passes it through; it is a number.
        decoder = BrotliDecoderCreateInstance(
            { largest, size in size > Int(bitPattern: largest) ? nil : malloc(size) }, { free($1) },
            UnsafeMutableRawPointer(bitPattern: largest))
    }

    /// The largest allocation for a body of at most this many bytes: the next power of two plus the 542 bytes that the
    /// library adds, or its tables, at most 256 of 1,080 entries.
    static func largestPiece(forBodyOf limit: Int) -> Int {
        var size = 2 << 20
        while size < limit { size *= 2 }
        return size + (4 << 10)
    }

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
        case BROTLI_DECODER_RESULT_SUCCESS: return .end(room.count - outputLeft)
        case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT, BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
            return .more(room.count - outputLeft)
        default: break
        }
        let error = BrotliDecoderGetErrorCode(decoder).rawValue
        let refused =
            BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES.rawValue...BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES.rawValue
        return refused.contains(error) ? .tooLarge : .invalid
    }

    /// At most a window, which a few bytes may fill. The corresponding C function is `BrotliDecoderHasMoreOutput`.
    var holdsOutput: Bool { decoder.map { BrotliDecoderHasMoreOutput($0) != 0 } ?? false }

    /// Nothing follows in this format.
    mutating func beginNext() -> Bool { false }
}
