/// The route of a request, as it is counted. The raw value is its place in a slot.
package enum RequestRoute: Int, CaseIterable, Sendable {
    case events, bulk, health, readiness, preflight
    /// Not an existing route.
    case none
    /// The routes of Sentry SDKs.
    case envelope, store, security
    /// nginx's question whether a key is known.
    case key

    /// The metric's label.
    package var name: String {
        switch self {
        case .events: "events"
        case .bulk: "bulk"
        case .health: "health"
        case .readiness: "readiness"
        case .preflight: "preflight"
        case .none: "none"
        case .envelope: "envelope"
        case .store: "store"
        case .security: "security"
        case .key: "key"
        }
    }
}

/// The HTTP statuses that are counted separately.
package enum RequestStatus {
    /// Their places in the list are their places in the slot.
    package static let counted = [200, 202, 204, 400, 401, 404, 405, 415, 429, 503, 403, 413]

    /// The place of a status; all that are not in the list share the last.
    static func place(_ status: Int) -> Int {
        switch status {
        case 200: 0
        case 202: 1
        case 204: 2
        case 400: 3
        case 401: 4
        case 404: 5
        case 405: 6
        case 415: 7
        case 429: 8
        case 503: 9
        case 403: 10
        case 413: 11
        default: counted.count
        }
    }

    /// The metric's label of each place.
    package static var names: [String] { counted.map(String.init) + ["other"] }
}
