internal import Ingestion
internal import WebSocket

/// Why an upgrade is not answered with 101, as the HTTP response that says so. The body is `{"error":"…","reason":"…"}`, as
/// of every refusal.
struct HTTPRefusal: Error, Equatable {
    let status: Int
    let error: String
    let reason: String

    /// No key, an unknown or a revoked one.
    static let unauthorized = HTTPRefusal(status: 401, error: "unauthorized", reason: "unauthorized")
    /// The project has allowed origins, and this page's is none of them.
    static let otherOrigin = HTTPRefusal(status: 403, error: "the origin is not allowed", reason: "forbidden")
    static let notFound = HTTPRefusal(status: 404, error: "not found", reason: "not_found")
    /// The request did not arrive in time.
    static let tooSlow = HTTPRefusal(status: 400, error: "request took too long", reason: "malformed_request")
    /// The project has too many connections.
    static let projectIsFull = HTTPRefusal(status: 429, error: "too many connections", reason: "too_many_connections")
    /// The host has too many connections, or the key cannot be checked now.
    static let unavailable = HTTPRefusal(status: 503, error: "temporarily unavailable", reason: "unavailable")

    /// Not a valid upgrade by RFC 6455.
    static func invalid(_ refusal: UpgradeRefusal) -> HTTPRefusal {
        HTTPRefusal(status: refusal.status, error: "\(refusal.message)", reason: "malformed_request")
    }

    var bytes: [UInt8] {
        var fields = ["Access-Control-Allow-Origin: *"]
        switch status {
        case 401: fields.append("WWW-Authenticate: Bearer")
        case 429, 503: fields += ["Retry-After: 1", "Access-Control-Expose-Headers: Retry-After"]
        default: break
        }
        return UpgradeResponse.refusing(
            status: status, reason: phrase, fields: fields,
            body: Answer.refusalBody(error: error, reason: reason))
    }

    /// RFC 9110, section 15.
    private var phrase: StaticString {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        default: "Service Unavailable"
        }
    }
}
