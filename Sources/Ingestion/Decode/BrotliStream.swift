import CBrotli
internal import Glibc

/// Brotli's decompressor (RFC 7932) for one body, piece by piece; the library offers no way to use one twice. The
/// corresponding C function is `BrotliDecoderDecompressStream`.
///
/// The library gives no byte before it has filled its window, up to 16 MiB, for which a hundred bytes suffice. But it makes
/// room for as much as the stream says will come, to the next power of two, before it decodes that. So it is the room which
/// is refused to a body that stands for too much: that costs no more than one of the permitted size.
struct BrotliStream: ~Copyable, DecodingStream {
    /// What the library may have in one piece.
    private struct Room {
        let limit: Int
        var isRefused = false

        /// For the next power of two and what it adds to that, and for its tables, which may be 1.5 MB.
        init(forBodyOf limit: Int) {
            var size = 2 << 20
            while size < limit { size *= 2 }
            self.limit = size + (4 << 10)
        }
    }

    private let room: UnsafeMutablePointer<Room>
    /// Nil when there was no memory.
    private let decoder: OpaquePointer?

    /// - Parameter limit: the most bytes that the body may stand for, as far as can be told beforehand.
    init(limit: Int) {
        room = .allocate(capacity: 1)
        room.initialize(to: Room(forBodyOf: limit))
        decoder = BrotliDecoderCreateInstance(
            { room, size in
                guard let room = room?.assumingMemoryBound(to: Room.self) else { return nil }
                if size > room.pointee.limit { room.pointee.isRefused = true }
                return room.pointee.isRefused ? nil : malloc(size)
            }, { free($1) }, room)
    }

    deinit {
        if let decoder { BrotliDecoderDestroyInstance(decoder) }
        room.deallocate()
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
        default: return self.room.pointee.isRefused ? .tooLarge : .invalid
        }
    }
}
