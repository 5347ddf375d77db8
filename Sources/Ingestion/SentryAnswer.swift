/// Answers that Sentry SDKs understand. They treat any status but 200, and an empty body, as a failure.
extension Answer {
    /// `{"detail":"…","causes":["…"]}`; the cause is the reason.
    static func sentryRefused(_ refusal: Refusal) -> Answer {
        var body = JSONText(reserving: 96)
        body.literal("{\"detail\":")
        body.string(refusal.text)
        body.literal(",\"causes\":[")
        body.string(refusal.reason.rawValue)
        body.literal("]}")
        var answer = Answer(status: refusal.reason.status(in: .sentry), body: body.bytes)
        answer.outcomes = .all(.discarded(refusal.reason), count: 1)
        answer.dialect = .sentry
        answer.fault = refusal.text
        return answer
    }

    /// `{"id":"…"}`, or `{}` when there is none; a refusal when something could have been stored and nothing was.
    ///
    /// - Parameters:
    ///   - events: the outcomes of storable items; items we only count never fail the request.
    ///   - envelope: nil when the events came without one.
    ///   - derivedID: the id in the answer for something that came without an envelope and is not stored.
    static func sentry(_ events: [HandedEvents.Outcome], _ envelope: EnvelopeSummary?, derivedID: UInt128) -> Answer {
        var accepted: UInt128?
        var refusal: Refusal?
        for event in events.reversed() {
            switch event {
            case .accepted(let id): accepted = id
            case .refused(let other) where other.reason != .unsupportedItem: refusal = worse(other, refusal)
            case .refused, .pending: break
            }
        }
        var answer: Answer
        if accepted == nil, let refusal {
            answer = sentryRefused(refusal)
        } else {
            var body = JSONText(reserving: 48)
            if let id = envelope?.eventID ?? accepted ?? (envelope == nil ? derivedID : nil) {
                body.literal("{\"id\":\"")
                body.hex(id)
                body.literal("\"}")
            } else {
                body.literal("{}")
            }
            answer = Answer(status: 200, body: body.bytes)
            answer.dialect = .sentry
        }
        answer.outcomes = OutcomeCounts(events, envelope)
        if let envelope { answer.discards = envelope.discards }
        return answer
    }

    /// Which of two refusals is told: a retryable one before one that is not.
    private static func worse(_ one: Refusal, _ other: Refusal?) -> Refusal {
        guard let other else { return one }
        return other.reason == .unavailable || other.reason == .rateLimited ? other : one
    }
}
