internal import Deflate

/// A library's decompressor, fed piece by piece.
protocol DecodingStream: ~Copyable {
    /// Decompresses more into `room`, and drops what it has read from the front of `bytes`.
    mutating func next(_ bytes: inout UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> DecodedPiece

    /// Begins the next stream, after a complete one.
    mutating func beginNext() -> Bool

    /// Whether more output is available without further input.
    var holdsOutput: Bool { get }
}

extension DecodingStream where Self: ~Copyable {
    var holdsOutput: Bool { false }
}

/// What one step of a `DecodingStream` gave.
enum DecodedPiece: Equatable {
    /// This many bytes. If there is room left, all input was decompressed.
    case more(Int)
    /// This many bytes, with which the stream is complete.
    case end(Int)
    /// None: the output would be larger than allowed.
    case tooLarge
    /// The body is damaged.
    case invalid
}

extension Inflater: DecodingStream {
    mutating func next(
        _ bytes: inout UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> DecodedPiece {
        switch inflate(&bytes, into: room) {
        case .more(let count): .more(count)
        case .end(let count): .end(count)
        case .invalid: .invalid
        }
    }
}

extension ContentEncoding {
    /// Whether several consecutive streams are one body.
    var mayRepeat: Bool { self == .gzip || self == .zstandard }

    /// Each is ten times the costliest stream of an honest encoder, one that flushes after every line.
    var budget: DecodingBudget {
        switch self {
        case .identity, .gzip, .deflate: .deflate
        case .brotli: DecodingBudget(perByteSent: 300)
        case .zstandard: DecodingBudget(perByteSent: 170)
        }
    }
}
