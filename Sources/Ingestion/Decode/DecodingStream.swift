internal import Deflate

/// A library's decompressor, fed piece by piece.
protocol DecodingStream: ~Copyable {
    /// Decompresses more into `room`, and drops what it has read from the front of `bytes`.
    mutating func next(_ bytes: inout UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> DecodedPiece

    /// Begins another stream, which follows one that is whole.
    mutating func beginNext() -> Bool

    /// Whether there is more of what was decompressed already.
    var holdsOutput: Bool { get }
}

extension DecodingStream where Self: ~Copyable {
    var holdsOutput: Bool { false }
}

/// What one step of a `DecodingStream` gave.
enum DecodedPiece: Equatable {
    /// So many bytes. With room left, all that was given is decompressed.
    case some(Int)
    /// So many bytes, with which the stream is whole.
    case end(Int)
    /// None, since they stand for more than there may be.
    case tooLarge
    /// The body is damaged.
    case invalid
}

extension Inflater: DecodingStream {
    mutating func next(
        _ bytes: inout UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> DecodedPiece {
        switch inflate(&bytes, into: room) {
        case .some(let count): .some(count)
        case .end(let count): .end(count)
        case .invalid: .invalid
        }
    }
}

extension ContentEncoding {
    /// Whether several streams one behind another are one body.
    var mayRepeat: Bool { self == .gzip || self == .zstandard }

    /// Each is ten times what honest encoders' costliest streams take, which flush after every line.
    var budget: DecodingBudget {
        switch self {
        case .identity, .gzip, .deflate: .deflate
        case .brotli: DecodingBudget(perByteSent: 300)
        case .zstandard: DecodingBudget(perByteSent: 170)
        }
    }
}
