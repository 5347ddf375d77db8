internal import CJSON
internal import Scoreboard

/// Decode: from a body as received to the bytes of each event.
extension IngestionMachine {
    /// Decodes a submission's body and finds its events.
    ///
    /// Throws a refusal of the whole body.
    mutating func decode(_ submission: Submission) throws(Refusal) {
        let encoding = try submission.head.encoding.get()
        let limit = min(submission.head.route.bodyLimit, Limits.bulkBytes)
        switch submission.head.format {
        case .event:
            let body = try decoder.decode(takeBody(of: submission), encoding, limit: limit)
            let count = body.count
            submission.decoded(body, [0..<count])
        case .array, .lines:
            var body = try decoder.decode(takeBody(of: submission), encoding, limit: limit)
            let ranges = try split(&body, isNDJSON: submission.head.format == .lines)
            submission.decoded(body, ranges)
        case .envelope:
            try decodeEnvelope(submission, encoding)
        case .sentryEvent:
            try decodeStored(submission, encoding)
        case .reports:
            var body = try decoder.decode(takeBody(of: submission), encoding, limit: limit)
            let ranges = body.isArray ? try split(&body, isNDJSON: false) : [0..<body.count]
            submission.decoded(
                body, ranges, as: Array(repeating: .securityReport(submission.head.sender.labels), count: ranges.count))
        }
    }

    /// Reads only an envelope's header. It must be cheap: a stranger may send any number of them.
    ///
    /// Throws `unauthorized` for a header that is long, or compressed in a way that may be slow.
    mutating func header(of submission: Submission) throws(Refusal) -> Envelope {
        // Nothing waits to be tried alone before its project is known.
        guard judge(submission, project: 0) != .poison else { throw .poison }
        slot?.beginExecuting(submission.head.requestID, submission.mark)
        defer { slot?.finishExecuting() }
        #if DEBUG
            submission.withBody(InjectedFault.act)
        #endif
        let encoding = try submission.head.encoding.get()
        scanner.begin(wantsItems: false)
        let limit = Limits.keyedHeaderBytes
        let envelope = try submission.withBody { (bytes) throws(Refusal) -> Envelope? in
            try decoder.begin(of: bytes, encoding, limit: limit) { (start, isWhole) throws(Refusal) -> Envelope? in
                let isLonger = try scanner.take(start) && !isWhole
                return isLonger ? nil : try scanner.finish()
            } ?? nil
        }
        guard let envelope = envelope ?? nil else { throw .unauthorized }
        return envelope
    }

    /// The items of an envelope, or the event that was sent instead of one.
    private mutating func decodeEnvelope(_ submission: Submission, _ encoding: ContentEncoding) throws(Refusal) {
        let refusal: Refusal
        do throws(Refusal) {
            let envelope = try scan(submission, encoding)
            guard envelope.items.isEmpty, envelope.hasFieldsOfEvent else { return submission.decoded(envelope) }
            refusal = Refusal(.invalidEnvelope, "invalid envelope: an event stands where its header should")
        } catch {
            guard error.reason == .invalidEnvelope, scanner.isInEnvelopeHeader else { throw error }
            refusal = error
        }
        let event: Body
        do throws(Refusal) {
            event = try decoder.decode(takeBody(of: submission), encoding, limit: Limits.eventBytes)
        } catch {
            // A large one is handed on.
            throw error == .tooCostly ? error : refusal
        }
        try decodeEvent(event, of: submission, or: refusal)
    }

    /// Reads an envelope, and leaves its body in place.
    private mutating func scan(_ submission: Submission, _ encoding: ContentEncoding) throws(Refusal) -> Envelope {
        scanner.begin(wantsItems: true)
        let sent = takeBody(of: submission)
        let result = Result { () throws(Refusal) in
            do throws(Refusal) {
                try decoder.scan(sent, encoding, limit: Limits.decodedEnvelopeBytes, into: &scanner)
            } catch {
                // What follows the event, such as a large attachment, must not cost the event.
                let isTooMuch = error.reason == .payloadTooLarge || error == .tooCostly && !options.handsOnLarge
                guard isTooMuch, let part = scanner.finishEarly() else { throw error }
                return part
            }
            return try scanner.finish()
        }
        submission.putBack(sent)
        return try result.get()
    }

    /// Treats a body as one event, unless it is no JSON object.
    private func decodeEvent(
        _ body: consuming Body, of submission: Submission, or refusal: Refusal
    ) throws(Refusal) {
        var body = body
        let isEvent = body.withUnsafeMutableBytes { bytes in
            var json = JSONParser()
            return (try? json.event(in: bytes, .not_finite)) != nil
        }
        guard isEvent else { throw refusal }
        submission.decoded(event: body)
    }

    /// The event of a store request. The oldest SDKs send it in base64, mostly deflated, without an encoding that says
    /// so; others send an envelope without saying so.
    private mutating func decodeStored(_ submission: Submission, _ encoding: ContentEncoding) throws(Refusal) {
        var body = try decoder.decode(takeBody(of: submission), encoding, limit: Limits.encodedEventBytes)
        if body.firstByte != UInt8(ascii: "{"), let decoded = Base64.decode(body) {
            body = decoded
            if body.firstByte != UInt8(ascii: "{") {
                body = try decoder.decode(body, .deflate, limit: Limits.eventBytes)
            }
        }
        if let envelope = envelope(in: body) { return submission.decoded(envelope) }
        guard body.count <= Limits.eventBytes else { throw .payloadTooLarge }
        submission.decoded(event: body)
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
        let maximum = options.bulkEvents
        return try body.withUnsafeMutableBytes { (bytes) throws(Refusal) in
            try BulkSplitter.split(bytes, isNDJSON: isNDJSON, maximum: maximum)
        }
    }

    private func takeBody(of submission: Submission) -> Body {
        submission.takeBody() ?? Body(count: 0)
    }
}

extension Submission {
    fileprivate func decoded(_ envelope: Envelope) {
        var body = Body(count: envelope.kept.count)
        body.withUnsafeMutableBytes { $0.copyBytes(from: envelope.kept) }
        let forms = envelope.items.map { envelope.form(of: $0, head.sender) }
        decoded(body, envelope.items.map(\.range), as: forms, of: envelope.summary)
    }

    /// One event of a Sentry SDK, without an envelope.
    fileprivate func decoded(event body: consuming Body) {
        let count = body.count
        let sender = head.sender
        decoded(
            body, [0..<count],
            as: [.sentry(id: nil, sentAt: sender.sentAt, client: sender.client, address: sender.address)])
    }
}
