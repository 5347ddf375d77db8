internal import CJSON

/// Finds the events in bodies as they were received, in every format and encoding.
struct BodyDecoder: ~Copyable {
    private let bulkEvents: Int
    private let handsOnLarge: Bool
    private var decoder: Decoder
    private var scanner = EnvelopeScanner()

    init(_ options: IngestionMachine.Options) {
        bulkEvents = options.bulkEvents
        handsOnLarge = options.handsOnLarge
        decoder = Decoder(options.decoderBounds)
    }

    /// Decodes a body and finds its events.
    ///
    /// Throws a refusal of the whole body.
    mutating func decode(_ body: consuming Body, of head: AcceptedHead) throws(Refusal) -> DecodedBody {
        let encoding = try head.encoding.get()
        let limit = min(head.route.bodyLimit, Limits.bulkBytes)
        switch head.format {
        case .event: return DecodedBody(event: try decoder.decode(body, encoding, limit: limit))
        case .array, .lines:
            var body = try decoder.decode(body, encoding, limit: limit)
            let ranges = try split(&body, isNDJSON: head.format == .lines)
            return DecodedBody(body, ranges)
        case .envelope: return try decodeEnvelope(body, encoding, head.sender)
        case .sentryEvent: return try decodeStored(body, encoding, head.sender)
        case .reports:
            var body = try decoder.decode(body, encoding, limit: limit)
            let ranges = body.isArray ? try split(&body, isNDJSON: false) : [0..<body.count]
            return DecodedBody(
                body, ranges, as: Array(repeating: .securityReport(head.sender.labels), count: ranges.count))
        }
    }

    /// Reads only an envelope's header. It must be cheap: a stranger may send any number of them.
    ///
    /// Throws `unauthorized` for a header that is long, or compressed in a way that may be slow.
    mutating func envelopeHeader(
        _ bytes: UnsafeRawBufferPointer, _ encoding: ContentEncoding
    ) throws(Refusal) -> Envelope {
        scanner.begin(wantsItems: false)
        let limit = Limits.keyedHeaderBytes
        let envelope = try decoder.begin(of: bytes, encoding, limit: limit) {
            (start, isWhole) throws(Refusal) -> Envelope? in
            let isLonger = try scanner.scan(start) && !isWhole
            return isLonger ? nil : try scanner.finish()
        }
        guard let envelope = envelope ?? nil else { throw .unauthorized }
        return envelope
    }

    /// The items of an envelope, or the event that was sent instead of one.
    private mutating func decodeEnvelope(
        _ sent: consuming Body, _ encoding: ContentEncoding, _ sender: SentrySender
    ) throws(Refusal) -> DecodedBody {
        let refusal: Refusal
        do throws(Refusal) {
            let envelope = try scan(sent, encoding)
            guard envelope.items.isEmpty, envelope.hasFieldsOfEvent else { return DecodedBody(envelope, of: sender) }
            refusal = Refusal(.invalidEnvelope, "invalid envelope: an event stands where its header should")
        } catch {
            guard error.reason == .invalidEnvelope, scanner.isInEnvelopeHeader else { throw error }
            refusal = error
        }
        var event: Body
        do throws(Refusal) {
            event = try decoder.decode(sent, encoding, limit: Limits.eventBytes)
        } catch {
            // A large one is handed on.
            throw error == .tooCostly ? error : refusal
        }
        guard Self.isObject(&event) else { throw refusal }
        return DecodedBody(event: event, of: sender)
    }

    private mutating func scan(_ sent: borrowing Body, _ encoding: ContentEncoding) throws(Refusal) -> Envelope {
        scanner.begin(wantsItems: true)
        do throws(Refusal) {
            try decoder.scan(sent, encoding, limit: Limits.decodedEnvelopeBytes, into: &scanner)
        } catch {
            // What follows the event, such as a large attachment, must not cost the event.
            let isTooMuch = error.reason == .payloadTooLarge || error == .tooCostly && !handsOnLarge
            guard isTooMuch, let part = scanner.finishEarly() else { throw error }
            return part
        }
        return try scanner.finish()
    }

    private static func isObject(_ body: inout Body) -> Bool {
        body.withUnsafeMutableBytes { bytes in
            var json = JSONParser()
            return (try? json.event(in: bytes, .not_finite)) != nil
        }
    }

    /// The event of a store request. The oldest SDKs send it in base64, mostly deflated, without an encoding that says
    /// so; others send an envelope without saying so.
    private mutating func decodeStored(
        _ sent: consuming Body, _ encoding: ContentEncoding, _ sender: SentrySender
    ) throws(Refusal) -> DecodedBody {
        var body = try decoder.decode(sent, encoding, limit: Limits.encodedEventBytes)
        if body.firstByte != UInt8(ascii: "{"), let decoded = Base64.decode(body) {
            body = decoded
            if body.firstByte != UInt8(ascii: "{") {
                body = try decoder.decode(body, .deflate, limit: Limits.eventBytes)
            }
        }
        if let envelope = envelope(in: body) { return DecodedBody(envelope, of: sender) }
        guard body.count <= Limits.eventBytes else { throw .payloadTooLarge }
        return DecodedBody(event: body, of: sender)
    }

    /// The body as an envelope with something to store; nil when it is none. Only in an envelope do lines follow a line
    /// that is an object.
    private mutating func envelope(in body: borrowing Body) -> Envelope? {
        guard body.hasObjectInFirstLine else { return nil }
        scanner.begin(wantsItems: true)
        guard (try? decoder.scan(body, .identity, limit: body.count, into: &scanner)) != nil,
            let envelope = try? scanner.finish(), !envelope.items.isEmpty
        else { return nil }
        return envelope
    }

    private func split(_ body: inout Body, isNDJSON: Bool) throws(Refusal) -> [Range<Int>] {
        try body.withUnsafeMutableBytes { (bytes) throws(Refusal) in
            try BulkSplitter.split(bytes, isNDJSON: isNDJSON, maximum: bulkEvents)
        }
    }
}
