import CBrotliEncoder
import CZlib
import CZstandard
import Testing

@testable import Ingestion

/// Bodies as senders' libraries compress them.
enum Compression: String, CaseIterable, CustomTestStringConvertible {
    case gzip, zlib, raw, brotli, zstandard
    /// A frame that does not say how large its content is.
    case zstandardOfUnknownSize

    var testDescription: String { rawValue }

    var encoding: ContentEncoding {
        switch self {
        case .gzip: .gzip
        case .zlib, .raw: .deflate
        case .brotli: .brotli
        case .zstandard, .zstandardOfUnknownSize: .zstandard
        }
    }

    /// Whether compressed bodies may stand one behind another.
    var isConcatenable: Bool { encoding == .gzip || encoding == .zstandard }

    /// Compresses `repetitions` times the same bytes.
    func compress(_ bytes: [UInt8], repetitions: Int = 1) -> [UInt8] {
        switch self {
        case .gzip: deflated(bytes, repetitions, windowBits: 31)
        case .zlib: deflated(bytes, repetitions, windowBits: 15)
        case .raw: deflated(bytes, repetitions, windowBits: -15)
        case .brotli: Self.brotli(bytes, repetitions)
        case .zstandard: zstandard(bytes, repetitions, saysSize: true)
        case .zstandardOfUnknownSize: zstandard(bytes, repetitions, saysSize: false)
        }
    }

    private func deflated(_ bytes: [UInt8], _ repetitions: Int, windowBits: Int32) -> [UInt8] {
        var stream = z_stream()
        precondition(
            deflateInit2_(
                &stream, 6, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK)
        defer { deflateEnd(&stream) }
        var input = bytes
        var output: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 64 << 10)
        for repetition in 1...repetitions {
            input.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                var isDone = false
                while !isDone {
                    let written = room.withUnsafeMutableBufferPointer { room in
                        stream.next_out = room.baseAddress
                        stream.avail_out = UInt32(room.count)
                        let status = deflate(&stream, repetition == repetitions ? Z_FINISH : Z_NO_FLUSH)
                        isDone = status == Z_STREAM_END || (repetition < repetitions && stream.avail_out > 0)
                        return room.count - Int(stream.avail_out)
                    }
                    output += room[..<written]
                }
            }
        }
        return output
    }

    /// - Parameter window: its size as a power of two, 10 to 24.
    static func brotli(_ bytes: [UInt8], _ repetitions: Int, quality: UInt32 = 5, window: UInt32 = 22) -> [UInt8] {
        let encoder = BrotliEncoderCreateInstance(nil, nil, nil)!
        defer { BrotliEncoderDestroyInstance(encoder) }
        BrotliEncoderSetParameter(encoder, BROTLI_PARAM_QUALITY, quality)
        BrotliEncoderSetParameter(encoder, BROTLI_PARAM_LGWIN, window)
        var output: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 64 << 10)
        for repetition in 1...repetitions {
            let operation = repetition == repetitions ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS
            bytes.withUnsafeBufferPointer { input in
                var next = input.baseAddress
                var left = input.count
                repeat {
                    let written = room.withUnsafeMutableBufferPointer { room in
                        var start = room.baseAddress
                        var size = room.count
                        precondition(
                            BrotliEncoderCompressStream(encoder, operation, &left, &next, &size, &start, nil) != 0)
                        return room.count - size
                    }
                    output += room[..<written]
                } while left > 0 || BrotliEncoderHasMoreOutput(encoder) != 0
            }
        }
        return output
    }

    private func zstandard(_ bytes: [UInt8], _ repetitions: Int, saysSize: Bool) -> [UInt8] {
        let context = ZSTD_createCCtx()!
        defer { ZSTD_freeCCtx(context) }
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
        if saysSize { ZSTD_CCtx_setPledgedSrcSize(context, UInt64(bytes.count * repetitions)) }
        var output: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 64 << 10)
        for repetition in 1...repetitions {
            let isLast = repetition == repetitions
            bytes.withUnsafeBytes { bytes in
                var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
                var left = 0
                repeat {
                    let written = room.withUnsafeMutableBytes { room in
                        var to = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                        left = ZSTD_compressStream2(context, &to, &input, isLast ? ZSTD_e_end : ZSTD_e_continue)
                        precondition(ZSTD_isError(left) == 0)
                        return to.pos
                    }
                    output += room[..<written]
                } while input.pos < input.size || (isLast && left > 0)
            }
        }
        return output
    }
}
