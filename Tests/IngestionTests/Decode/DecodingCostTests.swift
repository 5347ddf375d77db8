import RecordedInputs
import Testing

@testable import Ingestion

/// What decoding may cost, by a clock that says what it shall have cost.
@Suite struct DecodingCostTests {
    /// 100 kB that compress to a quarter at best.
    private static let text = Array((0..<100_000).map { _ in "0123456789abcdef".utf8.randomElement() ?? 0x30 })

    private static func decode(_ body: [UInt8], _ compression: Compression, _ bounds: Decoder.Bounds) -> Refusal? {
        var decoder = Decoder(bounds)
        guard case .failure(let refusal) = DecoderTests.decode(&decoder, body, compression.encoding) else { return nil }
        return refusal
    }

    @Test("a body that is slow is refused soon after it shows itself", arguments: Compression.allCases)
    func slow(compression: Compression) {
        let body = compression.compress(Self.text)
        let clock = SteppingClock(2_000_000)
        var bounds = Decoder.Bounds()
        bounds.processorTime = clock.read
        #expect(Self.decode(body, compression, bounds) == .tooCostly)
        #expect(clock.readings < 10, "some 2 ms for 2 KiB")
        #expect(body.count > 20 * 2_048)
    }

    @Test("a body that costs what honest ones may is taken", arguments: Compression.allCases)
    func honest(compression: Compression) {
        let body = compression.compress(Self.text)
        // For a step of 2 KiB: 98 ns a byte, three times the costliest that was ever measured.
        let clock = SteppingClock(200_000)
        var bounds = Decoder.Bounds()
        bounds.processorTime = clock.read
        var decoder = Decoder(bounds)
        #expect(DecoderTests.decode(&decoder, body, compression.encoding) == .success(Self.text))
        #expect(clock.readings > 20)
        #expect(decoder.spent == Int64(clock.readings - 1) * 200_000)
        #expect(DecoderTests.decode(&decoder, Self.text, .identity) == .success(Self.text))
        #expect(decoder.spent == 0, "what is not compressed does not read the clock")
    }

    @Test("what a library decodes at once is judged by all that it gives", arguments: Compression.allCases)
    func atOnce(compression: Compression) {
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        let clock = SteppingClock(7_000_000)
        var bounds = Decoder.Bounds()
        // All the time passes before the first piece: brotli has a window full by then.
        bounds.processorTime = { min(clock.read(), 2 * 7_000_000) }
        let refusal = Self.decode(compression.compress(zeros), compression, bounds)
        #expect(refusal == (compression == .brotli ? nil : .tooCostly))
    }

    @Test("where bodies are small a larger one is refused as soon as that is known", arguments: Compression.allCases)
    func small(compression: Compression) {
        var bounds = Decoder.Bounds()
        bounds.largest = 64 << 10
        let clock = SteppingClock(1)
        bounds.processorTime = clock.read
        let bomb = compression.compress([UInt8](repeating: 0, count: 1 << 20))
        #expect(Self.decode(bomb, compression, bounds) == .tooCostly)
        #expect(clock.readings < 10)
        #expect(Self.decode(compression.compress(Array(Self.text.prefix(64 << 10))), compression, bounds) == nil)
    }
}

@Suite("Bodies that are not for a worker for single events") struct HandingOnTests {
    private static let text = String(repeating: "x", count: 70_000)
    private static let event = #"{"message":"\#(text)","level":"info"}"#
    private static let envelope = "{}\n{\"type\":\"event\"}\n\(event)\n"

    private static func edge(step: Int64 = 0, handsOn: Bool) -> Edge {
        var options = IngestionMachine.Options()
        let clock = SteppingClock(step)
        options.processorTime = clock.read
        options.handsOnLarge = handsOn
        return Edge.knowingKey(options: options)
    }

    private static func post(
        _ edge: Edge, _ text: String, _ path: StaticString, _ compression: Compression, _ token: Int
    ) {
        let name = compression.encoding.name
        edge.post(bytes: compression.compress(Array(text.utf8)), to: path, token: token) {
            $0.contentEncoding = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        }
    }

    @Test(
        "One that is large once it is decoded is handed on, unanswered and uncounted", arguments: Compression.allCases)
    func large(compression: Compression) {
        let edge = Self.edge(handsOn: true)
        Self.post(edge, Self.event, "/api/v1/events", compression, 1)
        Self.post(edge, "[\(Self.event)]", "/api/v1/events/bulk", compression, 2)
        Self.post(edge, Self.envelope, "/api/7/envelope/", compression, 3)
        Self.post(edge, Self.event, "/api/7/store/", compression, 4)
        // An event in the place of an envelope.
        Self.post(edge, Self.event, "/api/7/envelope/", compression, 6)
        #expect(edge.handedOn == [1: .native, 2: .native, 3: .sentry, 4: .sentry, 6: .sentry])
        #expect(edge.answers.isEmpty && edge.calls.isEmpty)
        #expect(edge.requestsInHand == 0 && edge.bytesInHand == 0)
        // Small ones are its own.
        Self.post(edge, Edge.validEvent, "/api/v1/events", compression, 5)
        edge.grantAll()
        edge.acknowledgeAll()
        #expect(edge.answers[5]?.status == 202)
    }

    @Test("One that takes long is handed on, and refused where there is nobody else", arguments: Compression.allCases)
    func slow(compression: Compression) {
        let patient = Self.edge(step: 5_000_000_000, handsOn: false)
        let hasty = Self.edge(step: 4_000_001, handsOn: true)
        for (token, path) in ["/api/v1/events", "/api/7/store/"].enumerated() as EnumeratedSequence<[StaticString]> {
            Self.post(patient, Edge.validEvent, path, compression, token)
            Self.post(hasty, Edge.validEvent, path, compression, token)
        }
        #expect(hasty.handedOn == [0: .native, 1: .sentry] && hasty.answers.isEmpty)
        #expect(patient.text(0) == #"{"error":"too costly to decode","reason":"too_costly"}"#)
        #expect(patient.answers[0]?.status == 400 && patient.answers[1]?.status == 413)
        #expect(patient.answers[0]?.outcomes == .all(.discarded(.tooCostly), count: 1))
        #expect(patient.handedOn.isEmpty && patient.calls.isEmpty, "it costs nothing of the limit")
    }

    @Test("What is too costly behind an event does not cost the event", arguments: Compression.allCases)
    func costlyAttachment(compression: Compression) {
        let attachment = String(repeating: "x", count: 300_000)
        let envelope = "{}\n{\"type\":\"event\"}\n\(Edge.validEvent)\n{\"type\":\"attachment\"}\n\(attachment)\n"
        for handsOn in [false, true] {
            let edge = Self.edge(step: 5_000_000, handsOn: handsOn)
            Self.post(edge, envelope, "/api/7/envelope/", compression, 1)
            edge.grantAll()
            edge.acknowledgeAll()
            #expect(edge.answers[1]?.status == (handsOn ? nil : 200))
            #expect(edge.handedOn == (handsOn ? [1: .sentry] : [:]))
        }
    }

    @Test("Where bodies are large they are taken", arguments: Compression.allCases)
    func taken(compression: Compression) {
        let edge = Self.edge(handsOn: false)
        Self.post(edge, Self.event, "/api/v1/events", compression, 1)
        edge.grantAll()
        edge.acknowledgeAll()
        #expect(edge.answers[1]?.status == 202 && edge.handedOn.isEmpty)
    }
}

@Suite("The key in an envelope's header") struct KeyedHeaderTests {
    private static let header = "{\"dsn\":\"http://\(Edge.keyText)@localhost/7\"}\n"
    private static let envelope = header + "{\"type\":\"event\"}\n\(Edge.validEvent)\n"

    private static func post(_ text: String, _ encoding: ContentEncoding, damage: Int? = nil) -> Edge {
        let edge = Edge.knowingKey()
        var body = Array(text.utf8)
        if let compression = Compression.allCases.first(where: { $0.encoding == encoding }), encoding != .identity {
            body = compression.compress(body)
        }
        if let damage { body.replaceSubrange(damage..., with: repeatElement(0xFF, count: body.count - damage)) }
        let name = encoding.name
        edge.post(bytes: body, to: "/api/7/envelope/", key: nil, token: 1) {
            $0.contentEncoding = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        }
        edge.grantAll()
        edge.acknowledgeAll()
        return edge
    }

    @Test("It is looked for in what is plain, gzip or deflate, and not in what may be slow")
    func codings() {
        for encoding in [ContentEncoding.identity, .gzip, .deflate] {
            #expect(Self.post(Self.envelope, encoding).answers[1]?.status == 200, "\(encoding)")
        }
        for encoding in [ContentEncoding.brotli, .zstandard] {
            let edge = Self.post(Self.envelope, encoding)
            #expect(edge.answers[1]?.status == 401)
            #expect(edge.answers[1]?.outcomes == .all(.discarded(.unauthorized), count: 1))
        }
    }

    @Test("No more than 8 KiB are read for it", arguments: [ContentEncoding.identity, .gzip, .deflate])
    func bounded(encoding: ContentEncoding) {
        let start = String(Self.header.dropLast(2))
        let blank = String(repeating: " ", count: 8_100 - Self.header.utf8.count)
        let short = start + blank + "}\n{\"type\":\"event\"}\n\(Edge.validEvent)\n"
        #expect(Self.post(short, encoding).answers[1]?.status == 200)
        let long = start + blank + blank + "}\n{\"type\":\"event\"}\n\(Edge.validEvent)\n"
        #expect(Self.post(long, encoding).answers[1]?.status == 401)
        let noise = String((0..<30_000).map { _ in "0123456789abcdef".randomElement() ?? "0" })
        let edge = Self.post("{}\n{\"type\":\"x\"}\n" + noise, encoding, damage: 10_000)
        #expect(edge.answers[1]?.status == 401, "what is damaged behind it is not seen")
    }

    @Test("A header that is all of the envelope needs no newline")
    func whole() {
        for encoding in [ContentEncoding.identity, .gzip, .deflate] {
            #expect(Self.post(String(Self.header.dropLast()), encoding).answers[1]?.status == 200)
        }
    }
}
