internal import Scoreboard

/// What a request asks for, by its path and method.
enum Route: Equatable {
    case event
    case bulk
    /// Sentry's programs: items in an envelope.
    case envelope
    /// Older ones: one event.
    case store
    /// Browsers: reports of violated policies.
    case security
    /// nginx, before it lets somebody send much or opens a stream for him: whether his key is known.
    case key
    case health
    case readiness
    case preflight

    /// The most bytes of a body as it is sent.
    var bodyLimit: Int {
        switch self {
        case .bulk: Limits.bulkBytes
        case .event: Limits.eventBytes
        // Some programs send envelopes to the store route.
        case .envelope, .store: Limits.envelopeBytes
        case .security: Limits.eventBytes
        case .key, .health, .readiness, .preflight: 0
        }
    }

    /// As what it is counted.
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
