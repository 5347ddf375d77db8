/// A route, and the project named in the path.
struct Target: Equatable {
    let route: Route
    let project: ProjectClaim
}

/// Why no route was found, with the methods that the path allows when it exists.
struct RouteMiss: Error {
    let refusal: Refusal
    let allow: StaticString?
    let dialect: Dialect
}

extension Target {
    /// The route of a method and path.
    ///
    /// - Throws: `RouteMiss` with 404 for an unknown path, and with 405 and `Allow` for another method.
    static func find(_ head: RequestHead) throws(RouteMiss) -> Target {
        guard let path = head.path, let method = head.method else { throw notFound }
        if path.equals("/api/v1/events") { return try post(.event, method) }
        if path.equals("/api/v1/events/bulk") { return try post(.bulk, method) }
        if path.equals("/healthz") { return try get(.health, method) }
        if path.equals("/readyz") { return try get(.readiness, method) }
        // Not reachable for clients: nginx passes only paths below /api/.
        if path.equals("/key") { return try get(.key, method) }
        if let target = sentry(path) { return try post(target.route, method, target.project) }
        throw notFound
    }

    /// `/api/{project}/envelope/`, `/store/` and `/security/`, and `/api/store/`: with or without the slash at the end, and
    /// with any number of them in a row. Older policies report to `/csp-report/`, and network errors go to `/nel/`.
    private static func sentry(_ path: UnsafeRawBufferPointer) -> Target? {
        var parts: (UnsafeRawBufferPointer?, UnsafeRawBufferPointer?) = (nil, nil)
        var count = 0
        var position = 0
        while position < path.count {
            var end = position
            while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
            let part = UnsafeRawBufferPointer(rebasing: path[position..<end])
            position = end + 1
            if part.isEmpty { continue }
            switch count {
            case 0: guard part.equals("api") else { return nil }
            case 1: parts.0 = part
            case 2: parts.1 = part
            default: return nil
            }
            count += 1
        }
        guard let first = parts.0 else { return nil }
        guard let second = parts.1 else {
            return first.equals("store") ? Target(route: .store, project: .unnamed) : nil
        }
        let project = ProjectClaim(first)
        if second.equals("envelope") { return Target(route: .envelope, project: project) }
        if second.equals("store") { return Target(route: .store, project: project) }
        if second.equals("security") || second.equals("csp-report") || second.equals("nel") {
            return Target(route: .security, project: project)
        }
        return nil
    }

    private static func post(
        _ route: Route, _ method: UnsafeRawBufferPointer, _ project: ProjectClaim = .unnamed
    ) throws(RouteMiss) -> Target {
        if method.equals("POST") { return Target(route: route, project: project) }
        if method.equals("OPTIONS") { return Target(route: .preflight, project: .unnamed) }
        throw notAllowed("POST, OPTIONS", route.dialect)
    }

    private static func get(_ route: Route, _ method: UnsafeRawBufferPointer) throws(RouteMiss) -> Target {
        if method.equals("GET") || method.equals("HEAD") { return Target(route: route, project: .unnamed) }
        throw notAllowed("GET, HEAD", .native)
    }

    private static var notFound: RouteMiss {
        RouteMiss(refusal: Refusal(.notFound, "not found"), allow: nil, dialect: .native)
    }

    private static func notAllowed(_ methods: StaticString, _ dialect: Dialect) -> RouteMiss {
        RouteMiss(refusal: Refusal(.methodNotAllowed, "method not allowed"), allow: methods, dialect: dialect)
    }
}
