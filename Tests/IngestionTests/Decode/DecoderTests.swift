import Foundation
import RecordedInputs
import Testing

@testable import Ingestion

@Suite struct DecoderTests {
    static let event = Array(JSONCorpus.whole.utf8)
    static let tooLarge = Refusal(.payloadTooLarge, "payload too large")

    static func body(_ bytes: some Collection<UInt8>) -> Body {
        var body = Body(count: bytes.count)
        body.withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
        return body
    }

    /// Decodes a body whose padding must be kept.
    static func decode(
        _ decoder: inout Decoder, _ bytes: some Collection<UInt8>, _ encoding: ContentEncoding, limit: Int = 1 << 20
    ) -> Result<[UInt8], Refusal> {
        do throws(Refusal) {
            var decoded = try decoder.decode(body(bytes), encoding, limit: limit)
            return .success(
                decoded.withUnsafeMutableBytes { bytes in
                    let padding = UnsafeRawBufferPointer(start: bytes.baseAddress! + bytes.count, count: Body.padding)
                    precondition(padding.allSatisfy { $0 == 0 })
                    return Array(bytes)
                })
        } catch {
            return .failure(error)
        }
    }

    static func invalid(_ encoding: ContentEncoding) -> Refusal {
        Refusal(.invalidEncoding, "invalid \(encoding.name) body")
    }

    @Test("bodies of any size come out as they went in", arguments: Compression.allCases)
    func roundTrip(compression: Compression) {
        var decoder = Decoder()
        var generator = SystemRandomNumberGenerator()
        let bodies: [[UInt8]] = [
            [], [0x7B], Self.event, Array(repeatElement(Self.event, count: 500).joined()),
            (0..<200_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) },
        ]
        for body in bodies {
            let result = Self.decode(&decoder, compression.compress(body), compression.encoding)
            #expect(result == .success(body))
        }
    }

    @Test("a body that is not compressed passes through, up to the limit")
    func identity() {
        var decoder = Decoder()
        #expect(Self.decode(&decoder, Self.event, .identity, limit: Self.event.count) == .success(Self.event))
        #expect(Self.decode(&decoder, Self.event, .identity, limit: Self.event.count - 1) == .failure(Self.tooLarge))
        #expect(Self.decode(&decoder, [], .identity, limit: 0) == .success([]))
    }

    @Test("a body cut short at any byte is refused, and the next one decodes", arguments: Compression.allCases)
    func cutShort(compression: Compression) {
        var decoder = Decoder()
        let whole = compression.compress(Self.event)
        for size in 0..<whole.count {
            #expect(
                Self.decode(&decoder, Array(whole[..<size]), compression.encoding)
                    == .failure(Self.invalid(compression.encoding)), "cut at \(size)")
        }
        #expect(Self.decode(&decoder, whole, compression.encoding) == .success(Self.event))
    }

    @Test("what follows the compressed bytes is refused", arguments: Compression.allCases)
    func trailingBytes(compression: Compression) {
        var decoder = Decoder()
        let whole = compression.compress(Self.event)
        for trailer in [[0], [0x0A], Array("garbage".utf8), [0x1F, 0x8B], [0x28, 0xB5, 0x2F, 0xFD]] as [[UInt8]] {
            #expect(
                Self.decode(&decoder, whole + trailer, compression.encoding)
                    == .failure(Self.invalid(compression.encoding)), "\(trailer)")
        }
    }

    @Test(
        "several members or frames are one body, and only gzip and Zstandard have them", arguments: Compression.allCases
    )
    func concatenation(compression: Compression) {
        var decoder = Decoder()
        let twice = compression.compress(Self.event) + compression.compress([]) + compression.compress(Self.event)
        let result = Self.decode(&decoder, twice, compression.encoding)
        if compression.isConcatenable {
            #expect(result == .success(Self.event + Self.event))
            let cut = Self.decode(&decoder, Array(twice.dropLast()), compression.encoding)
            #expect(cut == .failure(Self.invalid(compression.encoding)))
            let limited = Self.decode(&decoder, twice, compression.encoding, limit: 2 * Self.event.count - 1)
            #expect(limited == .failure(Self.tooLarge))
        } else {
            #expect(result == .failure(Self.invalid(compression.encoding)))
        }
    }

    @Test("a body of exactly the limit is taken, and one byte more refused", arguments: Compression.allCases)
    func limit(compression: Compression) {
        var decoder = Decoder()
        for body in [Self.event, [UInt8](repeating: 0, count: 100_000)] {
            let compressed = compression.compress(body)
            #expect(Self.decode(&decoder, compressed, compression.encoding, limit: body.count) == .success(body))
            // Cut short it is invalid, not too large, though it fills the limit.
            let cut = Self.decode(&decoder, compressed.dropLast(), compression.encoding, limit: body.count)
            #expect(cut == .failure(Self.invalid(compression.encoding)))
            for limit in [body.count - 1, body.count / 2, 1, 0] {
                #expect(
                    Self.decode(&decoder, compressed, compression.encoding, limit: limit) == .failure(Self.tooLarge))
            }
        }
    }

    @Test("damaged bodies never decode to more than the limit, and harm no later one", arguments: Compression.allCases)
    func damaged(compression: Compression) {
        var decoder = Decoder()
        let whole = compression.compress(Self.event)
        var mutations = Mutations(of: [whole, compression.compress(Self.event + Self.event)], seed: 5)
        for _ in 0..<5_000 {
            guard
                case .success(let decoded) = Self.decode(&decoder, mutations.next(), compression.encoding, limit: 5_000)
            else { continue }
            #expect(decoded.count <= 5_000)
        }
        #expect(Self.decode(&decoder, whole, compression.encoding) == .success(Self.event))
    }

    @Test("a body of one format under another's name is refused", arguments: Compression.allCases)
    func mistaken(compression: Compression) {
        var decoder = Decoder()
        for encoding in ContentEncoding.allCases where encoding != .identity && encoding != compression.encoding {
            let result = Self.decode(&decoder, compression.compress(Self.event), encoding)
            #expect(result == .failure(Self.invalid(encoding)))
        }
    }

    @Test("a zlib body that wants a dictionary is refused")
    func dictionary() {
        var decoder = Decoder()
        // FDICT is set, and the check of the header right: 0x7820 is 31 · 992 + 0.
        #expect(0x7820 % 31 == 0)
        let result = Self.decode(&decoder, [0x78, 0x20, 0, 0, 0, 1, 0x03, 0], .deflate)
        #expect(result == .failure(Self.invalid(.deflate)))
    }
}

/// Small bodies that stand for huge ones. Alone, so that the peak of memory is theirs.
@Suite(.serialized) struct BombTests {
    @Test("200 MiB of zeros is refused at the limit, within flat memory", arguments: Compression.allCases)
    func bomb(compression: Compression) throws {
        let bomb = compression.compress([UInt8](repeating: 0, count: 1 << 20), repetitions: 200)
        #expect(bomb.count < 1 << 20)
        let before = try resetPeak()
        var decoder = Decoder()
        let result = DecoderTests.decode(&decoder, bomb, compression.encoding, limit: 5 << 20)
        #expect(result == .failure(DecoderTests.tooLarge))
        #expect(try peak() - before < 64 << 20)
    }

    @Test("brotli's window is not filled for a body that stands for more than the limit")
    func window() {
        var room = [UInt8](repeating: 0, count: 64 << 10)
        let bomb = Compression.brotli([UInt8](repeating: 0, count: 1 << 20), 16, quality: 9, window: 24)
        #expect(bomb.count < 200)
        func first(limit: Int) -> DecodedPiece {
            var stream = BrotliStream(largest: BrotliStream.largestPiece(forBodyOf: limit))
            return room.withUnsafeMutableBytes { room in
                bomb.withUnsafeBytes { bomb in
                    var rest = bomb
                    return stream.next(&rest, into: room)
                }
            }
        }
        #expect(first(limit: 16 << 20) == .more(64 << 10))
        #expect(first(limit: 1 << 20) == .tooLarge)
    }

    @Test(
        "a brotli body of the limit is taken, whatever its window and its blocks", arguments: [1, 9] as [UInt32])
    func windows(quality: UInt32) {
        var decoder = Decoder()
        for window in [10, 18, 24] as [UInt32] {
            for (piece, count) in [
                (Array("It broke, and nobody knows why. ".utf8), 32 << 10),
                ([UInt8](repeating: 0, count: 128), 8 << 10),
            ] {
                // In small pieces they are flushed as the encoder likes, in one all at once.
                let whole = Array(repeatElement(piece, count: count).joined())
                let bodies = [
                    Compression.brotli(whole, 1, quality: quality, window: window),
                    Compression.brotli(piece, count, quality: quality, window: window),
                ]
                for body in bodies {
                    #expect(DecoderTests.decode(&decoder, body, .brotli, limit: 1 << 20) == .success(whole))
                    let tooSmall = DecoderTests.decode(&decoder, body, .brotli, limit: (1 << 20) - 1)
                    #expect(tooSmall == .failure(DecoderTests.tooLarge))
                }
            }
        }
    }

    /// Lets the kernel measure the process's peak of memory anew, and returns where it stands, in bytes.
    private func resetPeak() throws -> Int {
        try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
        return try peak()
    }

    private func peak() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }) * 1024
    }
}
