internal import Deflate

/// Decompresses bodies within bounds of memory and processor time, which are checked while it works: a small body that
/// decodes to a huge or slow one costs no more than these.
package struct Decoder: ~Copyable {
    /// What a decoder may do for one body.
    package struct Bounds: Sendable {
        /// Maximum decoded size of a body here; nil for its route's limit.
        package var largest: Int?
        /// Maximum nanoseconds of processor time per body here.
        package var ceiling: Int64?
        /// The thread's processor time in nanoseconds; without it there is no bound.
        package var processorTime: @Sendable () -> Int64 = { 0 }
        package init() {}
    }

    /// The window that every decoder should support (RFC 8878, section 3.1.1.1.2), as a power of two.
    private static let windowLog: Int32 = 23
    /// The library's own bound. It reserves a window and fills it with no more than the body.
    private static let largestWindowLog: Int32 = 27
    /// Brotli's memory in one piece where bodies are small: its window, and some 60 tables.
    private static let smallPiece = (256 << 10) + (4 << 10)

    /// The processor time that the last body took, in nanoseconds; 0 when it was not compressed.
    package private(set) var spent: Int64 = 0

    private let bounds: Bounds
    private var inflater = Inflater()
    private var zstandard = ZstandardStream()
    /// The buffer for bodies of unknown size: the limit plus one byte. Only pages that were written take memory.
    private var room = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    package init(_ bounds: Bounds = Bounds()) {
        self.bounds = bounds
    }

    deinit {
        room.deallocate()
    }

    /// The decoded bytes of `body`, at most `limit`.
    ///
    /// Several consecutive gzip members or Zstandard frames are one body (RFC 1952, section 2.2; RFC 8878, section 3);
    /// anything else after the compressed bytes is an error. Throws `payloadTooLarge`, `tooCostly` or
    /// `invalidEncoding`.
    package mutating func decode(
        _ body: consuming Body, _ encoding: ContentEncoding, limit: Int
    ) throws(Refusal) -> Body {
        spent = 0
        if encoding == .identity {
            guard body.count <= limit else { throw .payloadTooLarge }
            return body
        }
        let limit = max(limit, 0)
        let room = makeRoom(limit + 1)
        let count = try body.withUnsafeBytes { (bytes) throws(Refusal) in
            try decompress(
                bytes, encoding, Output(limit: limit, room: room, isKept: true), windowLog: Self.largestWindowLog
            ) { _ in true }
        }
        var decoded = Body(count: count)
        decoded.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: room[..<count])) }
        return decoded
    }

    /// Passes the decoded body to an envelope's scanner, until that wants no more.
    ///
    /// Throws what the scanner throws, `payloadTooLarge` beyond `limit` bytes, `tooCostly` or `invalidEncoding`.
    mutating func scan(
        _ body: borrowing Body, _ encoding: ContentEncoding, limit: Int, into scanner: inout EnvelopeScanner
    ) throws(Refusal) {
        spent = 0
        let room = makeRoom(DecodingMeter.step.decoded)
        try body.withUnsafeBytes { (bytes) throws(Refusal) in
            if encoding == .identity {
                guard bytes.count <= limit else { throw .payloadTooLarge }
                _ = try scanner.scan(bytes)
                return
            }
            let output = Output(limit: limit, room: room, isKept: false)
            _ = try decompress(bytes, encoding, output, windowLog: Self.windowLog) { (piece) throws(Refusal) in
                try scanner.scan(piece)
            }
        }
    }

    /// Decodes the beginning of a body in one step: at most this many bytes of input and of output.
    ///
    /// - Returns: what `use` returns, which is told whether this is the whole body; nil for a coding that may be slow.
    mutating func begin<Result>(
        of bytes: UnsafeRawBufferPointer, _ encoding: ContentEncoding, limit: Int,
        _ use: (UnsafeRawBufferPointer, _ isWhole: Bool) throws(Refusal) -> Result
    ) throws(Refusal) -> Result? {
        var first = UnsafeRawBufferPointer(rebasing: bytes.prefix(limit))
        let format: Inflater.Format
        switch encoding {
        case .identity: return try use(first, first.count == bytes.count)
        case .gzip: format = .gzip
        case .deflate: format = .init(ofDeflate: first)
        case .brotli, .zstandard: return nil
        }
        let room = UnsafeMutableRawBufferPointer(rebasing: makeRoom(limit)[..<limit])
        switch inflater.begin(format) ? inflater.inflate(&first, into: room) : .invalid {
        case .more(let count): return try use(UnsafeRawBufferPointer(rebasing: room[..<count]), false)
        case .end(let count): return try use(UnsafeRawBufferPointer(rebasing: room[..<count]), true)
        case .invalid: throw .invalid(encoding)
        }
    }

    /// At least this many bytes of room.
    private mutating func makeRoom(_ size: Int) -> UnsafeMutableRawBufferPointer {
        if room.count < size {
            room.deallocate()
            room = .allocate(byteCount: size, alignment: 16)
        }
        return room
    }

    // MARK: Pieces

    /// Where a body's bytes go.
    private struct Output {
        let limit: Int
        let room: UnsafeMutableRawBufferPointer
        /// Whether all pieces are kept, one after another.
        let isKept: Bool

        /// Room for the next piece, after this many bytes.
        func next(_ total: Int) -> UnsafeMutableRawBufferPointer {
            let start = isKept ? total : 0
            // One byte more than the limit, to tell a body of exactly the limit from a longer one.
            let end = isKept ? min(start + DecodingMeter.step.decoded, limit + 1) : DecodingMeter.step.decoded
            return UnsafeMutableRawBufferPointer(rebasing: room[start..<end])
        }
    }

    private mutating func decompress(
        _ bytes: UnsafeRawBufferPointer, _ encoding: ContentEncoding, _ output: Output, windowLog: Int32,
        _ use: (UnsafeRawBufferPointer) throws(Refusal) -> Bool
    ) throws(Refusal) -> Int {
        var budget = encoding.budget
        if let ceiling = bounds.ceiling { budget.ceiling = ceiling }
        var meter = DecodingMeter(budget, clock: bounds.processorTime)
        defer { spent = meter.spent }
        switch encoding {
        case .identity: throw .invalid(encoding)
        case .gzip, .deflate:
            let format = encoding == .gzip ? Inflater.Format.gzip : Inflater.Format(ofDeflate: bytes)
            guard inflater.begin(format) else { throw .unavailable }
            return try Self.run(&inflater, bytes, encoding, output, bounds.largest, &meter, use)
        case .brotli:
            let piece = bounds.largest == nil ? BrotliStream.largestPiece(forBodyOf: output.limit) : Self.smallPiece
            var stream = BrotliStream(largest: piece)
            return try Self.run(&stream, bytes, encoding, output, bounds.largest, &meter, use)
        case .zstandard:
            guard zstandard.begin(windowLog: windowLog) else { throw .unavailable }
            defer { zstandard.end() }
            return try Self.run(&zstandard, bytes, encoding, output, bounds.largest, &meter, use)
        }
    }

    /// Feeds a body to a library in slices.
    ///
    /// - Returns: its decoded size in bytes.
    private static func run<Stream: DecodingStream & ~Copyable>(
        _ stream: inout Stream, _ bytes: UnsafeRawBufferPointer, _ encoding: ContentEncoding, _ output: Output,
        _ largest: Int?, _ meter: inout DecodingMeter, _ use: (UnsafeRawBufferPointer) throws(Refusal) -> Bool
    ) throws(Refusal) -> Int {
        var rest = bytes
        var total = 0
        while true {
            let room = output.next(total)
            var slice = UnsafeRawBufferPointer(rebasing: rest.prefix(DecodingMeter.step.sent))
            let given = slice.count
            // An empty body is no stream of any format, though not every library says so.
            let piece = bytes.isEmpty ? .invalid : stream.next(&slice, into: room)
            let sent = given - slice.count
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(sent))
            let count: Int
            switch piece {
            case .more(let size), .end(let size): count = size
            case .tooLarge: throw largest == nil ? .payloadTooLarge : .tooCostly
            case .invalid: throw .invalid(encoding)
            }
            total += count
            guard total <= output.limit else { throw .payloadTooLarge }
            // What was decoded in one step is judged once all of it has come out.
            let isWithin = meter.count(sent: sent, decoded: count) || stream.holdsOutput
            guard isWithin, total <= largest ?? .max else { throw .tooCostly }
            guard try use(UnsafeRawBufferPointer(rebasing: room[..<count])) else { break }
            if case .end = piece {
                if rest.isEmpty { break }
                guard encoding.mayRepeat, stream.beginNext() else { throw .invalid(encoding) }
            } else if rest.isEmpty && count < room.count || sent == 0 && count == 0 {
                // It is cut short.
                throw .invalid(encoding)
            }
        }
        guard meter.read() else { throw .tooCostly }
        return total
    }
}

extension Refusal {
    /// Decoding it takes more processor time than any honest body does.
    static let tooCostly = Refusal(.tooCostly, "too costly to decode")

    fileprivate static func invalid(_ encoding: ContentEncoding) -> Refusal {
        Refusal(.invalidEncoding, "invalid \(encoding.name) body")
    }
}
