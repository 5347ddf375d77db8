internal import Scoreboard

/// Decode: from a body as it came to the bytes of each event.
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
            let body = try decodeStored(takeBody(of: submission), encoding)
            let count = body.count
            submission.decoded(
                body, [0..<count], as: [.sentry(id: nil, sentAt: nil, client: submission.head.client)])
        case .reports:
            var body = try decoder.decode(takeBody(of: submission), encoding, limit: limit)
            let ranges = body.isArray ? try split(&body, isNDJSON: false) : [0..<body.count]
            submission.decoded(body, ranges, as: Array(repeating: .securityReport, count: ranges.count))
        }
    }

    /// What an envelope's header says, which is read alone.
    mutating func header(of submission: Submission) throws(Refusal) -> Envelope {
        // Before it is known whose it is nothing waits to be tried alone.
        guard judge(submission, project: 0) != .poison else { throw .poison }
        slot?.beginExecuting(submission.head.requestID, submission.mark)
        defer { slot?.finishExecuting() }
        let encoding = try submission.head.encoding.get()
        scanner.begin(wantsItems: false)
        let body = takeBody(of: submission)
        let limit = Limits.decodedEnvelopeBytes(sentIn: body.count)
        try decoder.scan(body, encoding, limit: limit, into: &scanner)
        submission.putBack(body)
        return try scanner.finish()
    }

    private mutating func decodeEnvelope(_ submission: Submission, _ encoding: ContentEncoding) throws(Refusal) {
        scanner.begin(wantsItems: true)
        let sent = takeBody(of: submission)
        let limit = Limits.decodedEnvelopeBytes(sentIn: sent.count)
        try decoder.scan(sent, encoding, limit: limit, into: &scanner)
        let envelope = try scanner.finish()
        var body = Body(count: envelope.kept.count)
        body.withUnsafeMutableBytes { $0.copyBytes(from: envelope.kept) }
        let forms = envelope.items.map { envelope.form(of: $0, client: submission.head.client) }
        submission.decoded(body, envelope.items.map(\.range), as: forms, of: envelope.summary)
    }

    /// The event of a store request. The oldest programs send it deflated and in base64, without an encoding that says so.
    private mutating func decodeStored(
        _ body: consuming Body, _ encoding: ContentEncoding
    ) throws(Refusal) -> Body {
        let first = body.withUnsafeBytes { $0.first { !Self.isWhiteSpace($0) } }
        if encoding == .identity, let first, first != UInt8(ascii: "{"), let deflated = Base64.decode(body) {
            return try decoder.decode(deflated, .deflate, limit: Limits.eventBytes)
        }
        return try decoder.decode(body, encoding, limit: Limits.eventBytes)
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

    /// White space as RFC 8259 has it.
    private static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
    }
}
