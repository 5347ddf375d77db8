import Ingestion
import RecordedInputs

/// Compressed bodies of every coding, where bodies may be large and where they are handed on.
enum DecoderFuzzing {
    private static let limit = 100_000
    private static let encodings = ContentEncoding.allCases.filter { $0 != .identity }

    /// Slow ones, several in one, and what stands for `{"message":"m"}`.
    static let seeds: [[UInt8]] = [
        SlowBodies.brotli(300), SlowBodies.zstandard(200), RequestFuzzing.gzip,
        RequestFuzzing.gzip + RequestFuzzing.gzip,
        Array(RequestFuzzing.gzip.dropFirst(10).dropLast(8)),
        // The same by zlib, of one raw block by zstd, and of one uncompressed block by brotli.
        [
            0x78, 0x9c, 0xAB, 0x56, 0xCA, 0x4D, 0x2D, 0x2E, 0x4E, 0x4C, 0x4F, 0x55, 0xB2, 0x52, 0xCA, 0x55, 0xAA, 5, 0,
            0x2A, 0xB6, 0x05, 0x0D,
        ],
        [0x28, 0xb5, 0x2f, 0xfd, 0x20, 15, 15 << 3 | 1, 0, 0] + Array(#"{"message":"m"}"#.utf8),
        [0xe0, 0, 0x10] + Array(#"{"message":"m"}"#.utf8) + [3],
    ]

    static func makeConsumer() -> ([UInt8]) -> Void {
        let pair = Pair()
        return { input in
            for encoding in encodings { pair.decode(input, encoding) }
        }
    }

    /// A decoder for large bodies and one that hands them on.
    private final class Pair {
        private var patient = Decoder()
        private var hasty: Decoder

        init() {
            var bounds = Decoder.Bounds()
            bounds.largest = 1_000
            hasty = Decoder(bounds)
        }

        func decode(_ input: [UInt8], _ encoding: ContentEncoding) {
            let whole = Self.decode(input, encoding, &patient)
            switch (whole, Self.decode(input, encoding, &hasty)) {
            case (.success(let bytes), .success(let same)):
                precondition(bytes == same && bytes.count <= 1_000, "two decoders do not agree")
            case (.failure(let one), .failure(let other)):
                precondition(one == other || other.reason == .tooCostly, "two decoders refuse for two reasons")
            case (.success, .failure(let refusal)):
                precondition(refusal.reason == .tooCostly, "what is small is refused")
            case (.failure, .success): preconditionFailure("what is refused is taken elsewhere")
            }
            if case .success(let bytes) = whole { precondition(bytes.count <= limit, "a body beyond its limit") }
        }

        private static func decode(
            _ input: [UInt8], _ encoding: ContentEncoding, _ decoder: inout Decoder
        ) -> Result<[UInt8], Refusal> {
            var body = Body(count: input.count)
            body.withUnsafeMutableBytes { $0.copyBytes(from: input) }
            do throws(Refusal) {
                let decoded = try decoder.decode(body, encoding, limit: limit)
                return .success(decoded.withUnsafeBytes { Array($0) })
            } catch {
                return .failure(error)
            }
        }
    }
}
