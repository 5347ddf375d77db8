internal import Scoreboard

/// What a request asks for, by its path and method.
enum Route: Equatable {
    case event
    case bulk
    /// Sentry SDKs: an envelope.
    case envelope
    /// Older Sentry SDKs: one event.
    case store
    /// Browsers: reports of violated policies.
    case security
    /// nginx asks whether a key is known, before it reads a large body or opens a stream.
    case key
    case health
    case readiness
    case preflight

    /// The most bytes of a body as it is sent.
    var bodyLimit: Int {
        switch self {
        case .bulk: Limits.bulkBytes
        case .event: Limits.eventBytes
        // Some SDKs send envelopes to the store route.
        case .envelope, .store: Limits.envelopeBytes
        case .security: Limits.eventBytes
        case .key, .health, .readiness, .preflight: 0
        }
    }

    /// Its label in the metrics.
    var label: RequestRoute {
        switch self {
        case .event: .events
        case .bulk: .bulk
        case .envelope: .envelope
        case .store: .store
        case .security: .security
        case .key: .key
        case .health: .health
        case .readiness: .readiness
        case .preflight: .preflight
        }
    }

    var dialect: Dialect {
        switch self {
        case .envelope, .store, .security: .sentry
        case .event, .bulk, .key, .health, .readiness, .preflight: .native
        }
    }
}
