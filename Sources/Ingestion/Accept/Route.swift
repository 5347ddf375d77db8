internal import Scoreboard

/// What a request asks for, by its path and method.
enum Route: Equatable {
    case event
    case bulk
    case health
    case readiness
    case preflight

    /// The most bytes of a body, encoded or decoded.
    var bodyLimit: Int {
        switch self {
        case .bulk: Limits.bulkBytes
        case .event: Limits.eventBytes
        case .health, .readiness, .preflight: 0
        }
    }

    /// As what it is counted.
    var label: RequestRoute {
        switch self {
        case .event: .events
        case .bulk: .bulk
        case .health: .health
        case .readiness: .readiness
        case .preflight: .preflight
        }
    }
}

/// The sizes of the contract, in bytes.
package enum Limits {
    /// One event, decoded.
    package static let eventBytes = 1 << 20
    /// Up to here a body is a small event, which nothing large must delay.
    package static let smallBytes = 64 << 10
    /// A bulk body, decoded; also the most that is read of any body.
    package static let bulkBytes = 5 << 20
}

/// Why no route was found, with the methods that the path allows when it exists.
struct RouteMiss: Error {
    let refusal: Refusal
    let allow: StaticString?
}

extension Route {
    /// The route of a method and path.
    ///
    /// - Throws: `RouteMiss` with 404 for an unknown path, and with 405 and `Allow` for another method.
    static func find(_ head: RequestHead) throws(RouteMiss) -> Route {
        guard let path = head.path, let method = head.method else { throw notFound }
        if path.equals("/api/v1/events") { return try post(.event, method) }
        if path.equals("/api/v1/events/bulk") { return try post(.bulk, method) }
        if path.equals("/healthz") { return try get(.health, method) }
        if path.equals("/readyz") { return try get(.readiness, method) }
        throw notFound
    }

    private static func post(_ route: Route, _ method: UnsafeRawBufferPointer) throws(RouteMiss) -> Route {
        if method.equals("POST") { return route }
        if method.equals("OPTIONS") { return .preflight }
        throw notAllowed("POST, OPTIONS")
    }

    private static func get(_ route: Route, _ method: UnsafeRawBufferPointer) throws(RouteMiss) -> Route {
        if method.equals("GET") || method.equals("HEAD") { return route }
        throw notAllowed("GET, HEAD")
    }

    private static var notFound: RouteMiss {
        RouteMiss(refusal: Refusal(.notFound, "not found"), allow: nil)
    }

    private static func notAllowed(_ methods: StaticString) -> RouteMiss {
        RouteMiss(refusal: Refusal(.methodNotAllowed, "method not allowed"), allow: methods)
    }
}
