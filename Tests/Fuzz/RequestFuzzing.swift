import Ingestion
import RecordedInputs
import StorageChannel

/// Requests of every route and encoding, through the machine to storage and back to their answers.
enum RequestFuzzing {
    private static let header =
        #"{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc","sent_at":"2023-11-14T22:13:20Z","dsn":"https://0123456789abcdef0123456789abcdef@in.example/7"}"#

    /// Envelopes with what SDKs put into them; bodies that are gzip, zlib in base64, and plain.
    static let seeds: [[UInt8]] =
        [
            "\(header)\n{\"type\":\"event\"}\n{\"message\":\"m\",\"level\":\"info\"}\n",
            "\(header)\n{\"type\":\"attachment\",\"length\":5}\n\0\n{}\n\n{\"type\":\"event\",\"length\":15}\n{\"level\":\n\"info\"}\n",
            "{}\n{\"type\":\"user_report\"}\n{\"event_id\":\"9ec79c33ec9942ab8353589fcb2e04dc\",\"comments\":\"c\"}\r\n",
            "{}\n{\"type\":\"client_report\"}\n{\"discarded_events\":[{\"reason\":\"queue_overflow\",\"category\":\"error\",\"quantity\":3}]}",
            "\(header)\n{\"type\":\"session\"}\n{}\n{\"type\":\"feedback\"}\n{\"contexts\":{\"feedback\":{\"message\":\"f\"}}}\n\n\n",
            "eJyrVspNLS5OTE9VslLKVaoFACq2BQ0=", "[{\"type\":\"csp-violation\",\"body\":{}},{\"type\":\"x\"}]",
        ].map { Array($0.utf8) } + [gzip] + SentrySamples.seeds.prefix(3)

    /// `{"message":"m"}`
    static let gzip: [UInt8] = [
        0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 3, 0xAB, 0x56, 0xCA, 0x4D, 0x2D, 0x2E, 0x4E, 0x4C, 0x4F, 0x55, 0xB2, 0x52,
        0xCA,
        0x55, 0xAA, 5, 0, 0xEB, 0x47, 0x9E, 0x8A, 0x0F, 0, 0, 0,
    ]

    static func makeConsumer() -> ([UInt8]) -> Void {
        let exchange = Exchange()
        var number = 0
        return { input in
            exchange.answer(input, number)
            number += 1
        }
    }
}

/// A machine with an end on either side where all goes well.
private final class Exchange {
    private var machine = IngestionMachine(options: .init())
    private var answers = 0

    private static let paths: [StaticString] = [
        "/api/7/envelope/", "/api/7/store/", "/api/7/security/", "/api/store/", "/api/v1/events", "/api/v1/events/bulk",
    ]
    private static let encodings: [StaticString?] = [nil, "gzip", "deflate", "br", "zstd", ""]
    private static let key: StaticString =
        "Sentry sentry_key=0123456789abcdef0123456789abcdef, sentry_version=7, sentry_client=a/b"

    init() {
        machine.storageConnected()
    }

    func answer(_ input: [UInt8], _ number: Int) {
        var head = RequestHead()
        head.method = StaticString("POST").bytes
        head.path = Self.paths[number % Self.paths.count].bytes
        // Most are plain, so that what is behind the decoders is reached.
        head.contentEncoding = Self.encodings[number % 3 == 0 ? number / 3 % Self.encodings.count : 0]?.bytes
        if number % 7 != 0 { head.sentryAuthorization = Self.key.bytes }
        if number % 5 == 0 { head.contentType = StaticString("application/x-sentry-envelope").bytes }
        head.requestID = StaticString("00000000000000000000000000000001").bytes
        var body = Body(count: input.count)
        body.withUnsafeMutableBytes { $0.copyBytes(from: input) }
        answers = 0
        machine.receive(RoutedHead(head), body: body, token: number, now: Int64(number), wall: 1_700_000_000_000_000)
        machine.endTurn()
        while !machine.commands.isEmpty || !machine.toStorage.isEmpty { carryOut(now: Int64(number)) }
        precondition(answers == 1, "a request has one answer")
        precondition(machine.requestsInHand == 0 && machine.bytesInHand == 0, "something is left of a request")
    }

    private func carryOut(now: Int64) {
        let commands = machine.commands
        machine.commands.removeAll()
        for command in commands {
            switch command {
            case .answer, .handOn: answers += 1
            case .count(let call):
                machine.receive(.init(granted: call.wanted, used: 1, left: 60_000), for: call.number, now: now)
            }
        }
        var frames: [UInt8] = []
        machine.toStorage.forEachPiece { frames += $0 }
        machine.toStorage.removeAll()
        frames.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                var frame = FrameContent(UnsafeRawBufferPointer(rebasing: rest))
                let length = Int(frame.integer(UInt32.self))
                store(FrameContent(UnsafeRawBufferPointer(rebasing: rest.dropFirst(4).prefix(length))), now)
                rest = rest.dropFirst(4 + length)
            }
        }
        machine.endTurn()
    }

    private func store(_ content: consuming FrameContent, _ now: Int64) {
        var reply = FrameWriter()
        switch FrameKind(rawValue: content.integer()) {
        case .lookUpKey:
            reply.key(content.key(), .known, ProjectQuota(project: 7, events: 1_000_000_000, seconds: 60))
        case .store:
            let ticket = content.integer(UInt64.self)
            _ = content.integer(UInt8.self)
            StoredRecord.check(content.remainder())
            reply.frame(.stored) { $0.stored(ticket, .durable, retryAfter: 0) }
        default: return
        }
        reply.bytes.withUnsafeBytes { bytes in
            guard let kind = FrameKind(rawValue: bytes[4]) else { return }
            precondition(machine.receive(kind, UnsafeRawBufferPointer(rebasing: bytes[5...]), now: now))
        }
    }
}
