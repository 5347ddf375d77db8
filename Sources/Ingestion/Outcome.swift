/// How an event ended. Each event ends in exactly one outcome.
package enum Outcome: Equatable, Sendable {
    case accepted
    case discarded(DiscardReason)
}

/// Why an event, or the request that carried it, was not accepted. The raw value is the answer's `reason`, the log's
/// key and the metric's label.
package enum DiscardReason: String, CaseIterable, Sendable {
    case unauthorized
    case payloadTooLarge = "payload_too_large"
    case invalidJSON = "invalid_json"
    case invalidEvent = "invalid_event"
    case missingMessage = "missing_message"
    case missingLevel = "missing_level"
    case invalidLevel = "invalid_level"
    case invalidField = "invalid_field"
    case tooManyEvents = "too_many_events"
    case emptyBulk = "empty_bulk"
    case rateLimited = "rate_limited"
    case unsupportedEncoding = "unsupported_encoding"
    case invalidEncoding = "invalid_encoding"
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case unavailable
    /// A request that killed two processes.
    case poison
    /// What Sentry SDKs send besides events.
    case unsupportedItem = "unsupported_item"
    /// A further event in an envelope.
    case surplusEvent = "surplus_event"
    case forbidden
    case invalidKey = "invalid_key"
    case invalidEnvelope = "invalid_envelope"
    /// Decoding it takes more processor time than any honest body does.
    case tooCostly = "too_costly"

    /// The HTTP status of an answer with this reason, RFC 9110.
    package var status: Int {
        switch self {
        case .unauthorized: 401
        // Not an error of the sender.
        case .unsupportedItem, .surplusEvent: 200
        case .forbidden: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .unsupportedEncoding: 415
        case .rateLimited: 429
        case .unavailable: 503
        case .payloadTooLarge, .invalidJSON, .invalidEvent, .missingMessage, .missingLevel, .invalidLevel,
            .invalidField,
            .tooManyEvents, .emptyBulk, .invalidEncoding, .poison, .invalidKey, .invalidEnvelope,
            .tooCostly:
            400
        }
    }

    func status(in dialect: Dialect) -> Int {
        switch self {
        case .payloadTooLarge, .tooCostly: dialect == .sentry ? 413 : status
        default: status
        }
    }
}

/// A refused request or event, with the text for its sender.
package struct Refusal: Error, Equatable, Sendable {
    package let reason: DiscardReason
    /// The answer's `error`: plain text, escaped when the answer is encoded.
    package let text: String

    package init(_ reason: DiscardReason, _ text: String) {
        self.reason = reason
        self.text = text
    }
}
