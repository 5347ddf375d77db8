internal import Deflate

/// A body that is decompressed piece by piece, since it may stand for more than is to be kept.
protocol DecodingStream: ~Copyable {
    /// Decompresses more into `room`, and drops what it has read from the front of `bytes`, which are all that is left.
    mutating func next(_ bytes: inout UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> DecodedPiece
}

/// What one step of a `DecodingStream` gave.
enum DecodedPiece: Equatable {
    /// So many bytes, and there are more.
    case some(Int)
    /// So many bytes, and these are the last.
    case last(Int)
    /// None, since they stand for more than the limit.
    case tooLarge
    /// The body is damaged, cut short, or followed by something else.
    case invalid
}

extension InflateStream: DecodingStream {
    mutating func next(
        _ bytes: inout UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> DecodedPiece {
        switch inflate(&bytes, into: room) {
        case .some(let count): .some(count)
        case .last(let count): .last(count)
        case .invalid: .invalid
        }
    }
}

extension Decoder {
    /// The size of a piece.
    private static let pieceSize = 64 << 10

    /// Passes on what a body stands for to an envelope's scanner, until that wants no more.
    ///
    /// Throws what the scanner throws, `payloadTooLarge` beyond `limit` bytes, or `invalidEncoding`.
    mutating func scan(
        _ body: borrowing Body, _ encoding: ContentEncoding, limit: Int, into scanner: inout EnvelopeScanner
    ) throws(Refusal) {
        makeRoom(Self.pieceSize - 1)
        let room = UnsafeMutableRawBufferPointer(rebasing: room[..<Self.pieceSize])
        try body.withUnsafeBytes { (bytes) throws(Refusal) in
            switch encoding {
            case .identity:
                guard bytes.count <= limit else { throw .payloadTooLarge }
                _ = try scanner.take(bytes)
            case .gzip:
                try Self.scan(bytes, InflateStream(.gzip), encoding, limit, room, &scanner)
            case .deflate:
                try Self.scan(bytes, InflateStream(Inflater.Format(ofDeflate: bytes)), encoding, limit, room, &scanner)
            case .brotli:
                try Self.scan(bytes, BrotliStream(limit: limit), encoding, limit, room, &scanner)
            case .zstandard:
                try Self.scan(bytes, ZstandardStream(), encoding, limit, room, &scanner)
            }
        }
    }

    private static func scan<Stream: DecodingStream & ~Copyable>(
        _ bytes: UnsafeRawBufferPointer, _ stream: consuming Stream, _ encoding: ContentEncoding, _ limit: Int,
        _ room: UnsafeMutableRawBufferPointer, _ scanner: inout EnvelopeScanner
    ) throws(Refusal) {
        var rest = bytes
        var total = 0
        var isLast = false
        while !isLast {
            let count: Int
            // An empty body is no stream of any format, though not every library says so.
            switch bytes.isEmpty ? .invalid : stream.next(&rest, into: room) {
            case .some(let size): count = size
            case .last(let size):
                count = size
                isLast = true
            case .tooLarge: throw .payloadTooLarge
            case .invalid: throw Refusal(.invalidEncoding, "invalid \(encoding.name) body")
            }
            total += count
            guard total <= limit else { throw .payloadTooLarge }
            guard try scanner.take(UnsafeRawBufferPointer(rebasing: room[..<count])) else { return }
        }
    }
}
