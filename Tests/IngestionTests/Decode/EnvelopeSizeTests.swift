import Testing

@testable import Ingestion

/// Envelopes that stand for far more than is kept of them.
struct EnvelopeSizeTests {
    private func scan(
        _ bytes: [UInt8], _ encoding: ContentEncoding, limit: Int = Limits.decodedEnvelopeBytes
    ) throws(Refusal) -> Envelope {
        var decoder = Decoder()
        var scanner = EnvelopeScanner()
        scanner.begin(wantsItems: true)
        try decoder.scan(DecoderTests.body(bytes), encoding, limit: limit, into: &scanner)
        return try scanner.finish()
    }

    private static let event = Array("{}\n{\"type\":\"event\"}\n{\"a\":1}\n".utf8)

    @Test("an envelope decodes by every encoding as it was", arguments: Compression.allCases)
    func encodings(compression: Compression) throws {
        let envelope = try scan(compression.compress(Self.event), compression.encoding)
        #expect(envelope.kept == Array(#"{"a":1}"#.utf8))
        let noise = (0..<300_000).map { _ in UInt8.random(in: 0x20...0x7e) }
        let long = Self.event + Array("{\"type\":\"attachment\"}\n".utf8) + noise
        #expect(try scan(compression.compress(long), compression.encoding).unsupported == 1)
    }

    @Test("one that is cut short anywhere is refused, whatever was read of it", arguments: Compression.allCases)
    func cutShort(compression: Compression) {
        let whole = compression.compress(Self.event)
        for count in 0..<whole.count {
            do {
                _ = try scan(Array(whole.prefix(count)), compression.encoding)
                Issue.record("\(count) bytes are taken")
            } catch {
                #expect(error.reason == .invalidEncoding, "\(count) bytes")
            }
        }
        do {
            _ = try scan(whole + [7], compression.encoding)
            Issue.record("a byte behind it is taken")
        } catch {
            #expect(error.reason == .invalidEncoding)
        }
    }

    @Test("200 MiB are read past, one byte more is too large", arguments: [Compression.gzip, .brotli, .zstandard])
    func largest(compression: Compression) throws {
        // Members or frames one behind another would do for two of the three; so it is all one.
        let count = 200
        let start = Array("{}\n{\"type\":\"attachment\"}\n".utf8)
        let piece = start + [UInt8](repeating: 0, count: (1 << 20) - start.count)
        let body = compression.compress(piece, repetitions: count)
        let envelope = try scan(body, compression.encoding, limit: count << 20)
        #expect(envelope.unsupported >= 1 && envelope.kept.capacity < 1 << 10)
        do {
            _ = try scan(body, compression.encoding, limit: (count << 20) - 1)
            Issue.record("it is taken")
        } catch {
            #expect(error == .payloadTooLarge)
        }
    }
}
