package import Scoreboard
internal import StorageChannel

/// A project's window, as answers tell it.
package struct QuotaStatus: Equatable, Sendable {
    /// The events that one window grants.
    package let limit: UInt32
    /// The length of the window in seconds.
    package let window: UInt32
    /// The events left in this window.
    package let remaining: UInt32
    /// Seconds until this window ends, rounded up, at least 1.
    package let reset: UInt32
}

/// What a sender is told: an HTTP status, a JSON body and what goes into headers. A stream sends the body alone.
package struct Answer: Equatable, Sendable {
    package var status: Int
    /// JSON; empty for a preflight.
    package var body: [UInt8]
    package var retryAfter: UInt32?
    package var quota: QuotaStatus?
    /// The methods that the path allows.
    package var allow: String?
    /// The request's label in the metrics.
    package var route: RequestRoute
    package var outcomes = OutcomeCounts.noEvents
    package var discards = ClientDiscards()
    package var dialect = Dialect.native
    /// The refusal's text for Sentry SDKs: printable ASCII.
    package var fault: String?

    init(status: Int, body: [UInt8], route: RequestRoute = .none) {
        self.status = status
        self.body = body
        self.route = route
    }

    /// `{"status":"accepted","id":"…"}`
    static func accepted(_ id: UInt128) -> Answer {
        var body = JSONText(reserving: 64)
        body.literal("{\"status\":\"accepted\",\"id\":\"")
        body.hex(id)
        body.literal("\"}")
        var answer = Answer(status: 202, body: body.bytes)
        answer.outcomes = .all(.accepted, count: 1)
        return answer
    }

    /// `{"error":"…","reason":"…"}`, or the form that Sentry SDKs understand.
    static func refused(_ refusal: Refusal, in dialect: Dialect = .native) -> Answer {
        if dialect == .sentry { return sentryRefused(refusal) }
        var answer = Answer(
            status: refusal.reason.status, body: refusalBody(error: refusal.text, reason: refusal.reason.rawValue))
        answer.outcomes = .all(.discarded(refusal.reason), count: 1)
        return answer
    }

    /// What every refusal says, also of an upgrade.
    package static func refusalBody(error: String, reason: String) -> [UInt8] {
        var body = JSONText(reserving: 96)
        body.literal("{\"error\":")
        body.string(error)
        body.literal(",\"reason\":")
        body.string(reason)
        body.literal("}")
        return body.bytes
    }

    /// Its text in a stream: the body, with the retry time that HTTP has in a header.
    package var messageText: [UInt8] {
        guard case .all(.discarded(.rateLimited), _) = outcomes, let retryAfter, body.last == UInt8(ascii: "}") else {
            return body
        }
        var text = JSONText(reserving: body.count + 32)
        text.append(body.dropLast())
        text.literal(",\"retry_after\":")
        text.number(Int(retryAfter))
        text.literal("}")
        return text.bytes
    }

    /// To nginx.
    static let keyIsKnown = Answer(status: 204, body: [], route: .key)
    static let preflight = Answer(status: 204, body: [], route: .preflight)

    static let healthy = Answer(status: 200, body: Array("{\"status\":\"ok\"}".utf8), route: .health)

    /// - Parameter degraded: what is impaired, as in `Degradation.names`.
    static func readiness(_ ready: Bool, degraded: [StaticString]) -> Answer {
        var body = JSONText(reserving: 64)
        body.literal(ready ? "{\"ready\":true,\"degraded\":[" : "{\"ready\":false,\"degraded\":[")
        for (index, name) in degraded.enumerated() {
            body.literal(index == 0 ? "\"" : ",\"")
            body.literal(name)
            body.literal("\"")
        }
        body.literal("]}")
        return Answer(status: ready ? 200 : 503, body: body.bytes, route: .readiness)
    }

    /// A bulk's answer, from the outcomes of its events in input order.
    static func bulk(_ events: [HandedEvents.Outcome]) -> Answer {
        var ids = JSONText(reserving: events.count * 35)
        var errors = JSONText(reserving: 0)
        var accepted = 0
        var isLimited = false
        var isUnavailable = true
        for (index, event) in events.enumerated() {
            if index > 0 { ids.literal(",") }
            switch event {
            case .pending: break
            case .accepted(let id):
                accepted += 1
                ids.literal("\"")
                ids.hex(id)
                ids.literal("\"")
            case .refused(let refusal):
                ids.literal("null")
                isLimited = isLimited || refusal.reason == .rateLimited
                isUnavailable = isUnavailable && refusal.reason == .unavailable
                if !errors.bytes.isEmpty { errors.literal(",") }
                errors.refusal(refusal, of: index)
            }
        }
        if accepted == 0, isUnavailable {
            var answer = Answer.refused(.unavailable)
            answer.outcomes = .all(.discarded(.unavailable), count: events.count)
            return answer
        }
        var body = JSONText(reserving: ids.bytes.count + errors.bytes.count + 96)
        body.literal(accepted > 0 ? "{\"status\":\"accepted\",\"accepted\":" : "{\"status\":\"rejected\",\"accepted\":")
        body.number(accepted)
        body.literal(",\"rejected\":")
        body.number(events.count - accepted)
        body.literal(",\"ids\":[")
        body.append(ids)
        body.literal("],\"errors\":[")
        body.append(errors)
        body.literal("]}")
        var answer = Answer(status: accepted > 0 ? 202 : isLimited ? 429 : 400, body: body.bytes)
        answer.outcomes = OutcomeCounts(events)
        return answer
    }
}

extension JSONText {
    /// What the answer to a bulk says of an event that was refused.
    fileprivate mutating func refusal(_ refusal: Refusal, of index: Int) {
        literal("{\"index\":")
        number(index)
        literal(",\"status\":")
        number(refusal.reason.status)
        literal(",\"error\":")
        string(refusal.text)
        literal(",\"reason\":")
        string(refusal.reason.rawValue)
        literal("}")
    }
}

extension Refusal {
    static let rateLimited = Refusal(.rateLimited, "rate limited")
    static let unavailable = Refusal(.unavailable, "temporarily unavailable")
    static let poison = Refusal(.poison, "request cannot be processed")
    static let payloadTooLarge = Refusal(.payloadTooLarge, "payload too large")
}
