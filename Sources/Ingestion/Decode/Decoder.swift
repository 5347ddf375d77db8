internal import Deflate

/// Decompresses bodies, within a limit that holds while it does: a small body that stands for a huge one takes no more
/// memory than the limit.
package struct Decoder: ~Copyable {
    /// What became of the bytes that a library was given.
    enum Result: Equatable {
        /// They are whole, and stand for so many bytes.
        case decoded(Int)
        /// They stand for more bytes than there is room.
        case tooLarge
        /// They are damaged, cut short, or followed by something else.
        case invalid

        init(_ result: Inflater.Result) {
            self =
                switch result {
                case .decoded(let count): .decoded(count)
                case .tooLarge: .tooLarge
                case .invalid: .invalid
                }
        }
    }

    private var inflater = Inflater()
    private var zstandard = ZstandardDecoder()
    /// Where a body is decoded before its size is known: the limit and one byte more. Only what was once written takes
    /// memory.
    private(set) var room = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    package init() {}

    deinit {
        room.deallocate()
    }

    /// The bytes that `body` stands for, at most `limit`.
    ///
    /// Several gzip members or Zstandard frames one behind another are one body (RFC 1952, section 2.2; RFC 8878, section
    /// 3); anything else behind the compressed bytes is not. Throws `payloadTooLarge` or `invalidEncoding`.
    package mutating func decode(
        _ body: consuming Body, _ encoding: ContentEncoding, limit: Int
    ) throws(Refusal) -> Body {
        if encoding == .identity {
            guard body.count <= limit else { throw .payloadTooLarge }
            return body
        }
        let limit = max(limit, 0)
        makeRoom(limit)
        let room = UnsafeMutableRawBufferPointer(rebasing: room[...limit])
        // An empty body is no stream of any format, though not every library says so.
        let result: Result =
            if body.count == 0 {
                .invalid
            } else {
                body.withUnsafeMutableBytes { decompress(UnsafeRawBufferPointer($0), encoding, into: room) }
            }
        switch result {
        case .decoded(let count) where count <= limit:
            var decoded = Body(count: count)
            decoded.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: room[..<count])) }
            return decoded
        case .decoded, .tooLarge:
            throw .payloadTooLarge
        case .invalid:
            throw Refusal(.invalidEncoding, "invalid \(encoding.name) body")
        }
    }

    private mutating func decompress(
        _ bytes: UnsafeRawBufferPointer, _ encoding: ContentEncoding, into room: UnsafeMutableRawBufferPointer
    ) -> Result {
        switch encoding {
        case .identity: .invalid
        case .gzip: Result(inflater.inflate(bytes, .gzip, into: room))
        case .deflate: Result(inflater.inflate(bytes, Inflater.Format(ofDeflate: bytes), into: room))
        case .brotli: decompressBrotli(bytes, into: room)
        case .zstandard: zstandard.decode(bytes, into: room)
        }
    }

    private func decompressBrotli(
        _ bytes: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Result {
        var stream = BrotliStream(limit: room.count - 1)
        var rest = bytes
        return switch stream.next(&rest, into: room) {
        case .last(let count): .decoded(count)
        case .some, .tooLarge: .tooLarge
        case .invalid: .invalid
        }
    }

    /// Room for one byte more than `limit`, so that a body of exactly the limit is told from a longer one.
    mutating func makeRoom(_ limit: Int) {
        guard room.count <= limit else { return }
        room.deallocate()
        room = .allocate(byteCount: limit + 1, alignment: 16)
    }
}
