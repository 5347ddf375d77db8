internal import Ingestion

/// An answer as the CGI response that nginx turns into HTTP, RFC 3875, section 6.
enum ResponseText {
    static func bytes(_ answer: Answer) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(answer.body.count + 512)
        append("Status: ", answer.status, to: &text)
        append(phrase(answer.status), to: &text)
        append("\r\nAccess-Control-Allow-Origin: *\r\n", to: &text)
        if answer.body.isEmpty {
            append(preflight, to: &text)
        } else {
            append(exposed, to: &text)
            append("Content-Type: application/json\r\nContent-Length: ", answer.body.count, to: &text)
            append("\r\n", to: &text)
        }
        if let quota = answer.quota {
            append("RateLimit-Policy: \"project\";q=", Int(quota.limit), to: &text)
            append(";w=", Int(quota.window), to: &text)
            append("\r\nRateLimit: \"project\";r=", Int(quota.remaining), to: &text)
            append(";t=", Int(quota.reset), to: &text)
            append("\r\n", to: &text)
        }
        if let seconds = answer.retryAfter {
            append("Retry-After: ", Int(seconds), to: &text)
            append("\r\n", to: &text)
        }
        if let seconds = limit(answer) {
            append("X-Sentry-Rate-Limits: ", Int(seconds), to: &text)
            append(answer.dialect == .sentry ? sentryScope : "::project\r\n", to: &text)
        }
        if answer.status == 401, answer.dialect == .native { append("WWW-Authenticate: Bearer\r\n", to: &text) }
        if let fault = answer.fault {
            append("X-Sentry-Error: ", to: &text)
            text.append(contentsOf: fault.utf8.lazy.map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") })
            append("\r\n", to: &text)
        }
        if let methods = answer.allow {
            append("Allow: ", to: &text)
            text.append(contentsOf: methods.utf8)
            append("\r\n", to: &text)
        }
        append("\r\n", to: &text)
        text.append(contentsOf: answer.body)
        return text
    }

    /// Makes nginx hand the request to the worker for large bodies. A named location keeps method and body; a path
    /// would not. Whoever answers the request logs and counts it, once.
    static func handingOn(_ dialect: Dialect) -> [UInt8] {
        var text: [UInt8] = []
        append("Status: 200 OK\r\nX-Accel-Redirect: ", to: &text)
        append(dialect == .sentry ? "@mesher_sentry_large" : "@mesher_large", to: &text)
        append("\r\n\r\n", to: &text)
        return text
    }

    /// Seconds until events are accepted again; Sentry SDKs are told as soon as the window is used up, and stop by
    /// themselves.
    private static func limit(_ answer: Answer) -> UInt32? {
        if answer.status == 429 { return answer.retryAfter }
        guard answer.dialect == .sentry, answer.status == 200, let quota = answer.quota else { return nil }
        return quota.remaining == 0 ? quota.reset : nil
    }

    /// What the limit is for: the categories of which there are rows, the whole project, why.
    private static let sentryScope: StaticString = ":error;default;feedback;security:project:rate_limited\r\n"

    /// The reason phrase of a status that the path of an event ends with, RFC 9110, section 15.
    private static func phrase(_ status: Int) -> StaticString {
        switch status {
        case 200: " OK"
        case 202: " Accepted"
        case 204: " No Content"
        case 400: " Bad Request"
        case 401: " Unauthorized"
        case 403: " Forbidden"
        case 404: " Not Found"
        case 405: " Method Not Allowed"
        case 413: " Content Too Large"
        case 415: " Unsupported Media Type"
        case 429: " Too Many Requests"
        case 503: " Service Unavailable"
        default: ""
        }
    }

    private static let preflight: StaticString = """
        Access-Control-Allow-Methods: POST, OPTIONS\r
        Access-Control-Allow-Headers: Authorization, Content-Encoding, Content-Type, X-Requested-With, X-Sentry-Auth\r
        Access-Control-Max-Age: 3600\r

        """

    private static let exposed: StaticString = """
        Access-Control-Expose-Headers: Retry-After, RateLimit, RateLimit-Policy, X-Sentry-Error, X-Sentry-Rate-Limits\r

        """

    private static func append(_ literal: StaticString, to text: inout [UInt8]) {
        text.append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    private static func append(_ literal: StaticString, _ number: Int, to text: inout [UInt8]) {
        append(literal, to: &text)
        text.append(contentsOf: String(number).utf8)
    }
}
