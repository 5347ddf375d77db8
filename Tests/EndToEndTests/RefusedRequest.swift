import Testing

/// A request that is not taken, and the answer that the contract names for it.
struct RefusedRequest: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let target: String
    let headers: [String: String]
    let body: String
    let status: Int
    let error: String
    let reason: String

    private init(
        _ description: String, to target: String = "/api/v1/events", headers: [String: String] = [:], body: String,
        status: Int = 400, error: String, reason: String
    ) {
        testDescription = description
        self.target = target
        self.headers = headers
        self.body = body
        self.status = status
        self.error = error
        self.reason = reason
    }

    /// Every line of the contract's table that needs no state of its own.
    static let all = shapes + contents + encodings + routes

    private static let bulk = "/api/v1/events/bulk"
    private static let event = #"{"message":"m","level":"info"}"#

    private static let shapes: [RefusedRequest] = [
        .init(
            "one byte over the limit", body: padded(to: 1_048_577), error: "payload too large",
            reason: "payload_too_large"),
        .init(
            "a bulk over the limit", to: bulk, body: padded(to: 5_242_881), error: "payload too large",
            reason: "payload_too_large"),
        .init(
            "nested deeper than 64", body: nested(65), error: "invalid JSON: nested deeper than 64 levels",
            reason: "invalid_json"),
        .init("an array as an event", body: "[]", error: "invalid event: must be an object", reason: "invalid_event"),
        .init("a number as an event", body: "7", error: "invalid event: must be an object", reason: "invalid_event"),
        .init(
            "a text as a bulk", to: bulk, body: "\"\"", error: "invalid bulk: must be an array",
            reason: "invalid_event"),
        .init(
            "more events than a bulk may have", to: bulk,
            body: "[" + Array(repeating: event, count: 1_001).joined(separator: ",") + "]",
            error: "too many events in bulk request (max 1000)", reason: "too_many_events"),
        .init("an empty bulk", to: bulk, body: "[]", error: "empty bulk request", reason: "empty_bulk"),
        .init(
            "an empty bulk of lines", to: bulk, headers: ["Content-Type": "application/x-ndjson"], body: "\n",
            error: "empty bulk request", reason: "empty_bulk"),
    ]

    private static let contents: [RefusedRequest] = [
        .init(
            "no message", body: #"{"level":"info"}"#, error: "missing required field: message",
            reason: "missing_message"),
        .init(
            "an empty message", body: #"{"message":"","level":"info"}"#, error: "missing required field: message",
            reason: "missing_message"),
        .init("no level", body: #"{"message":"m"}"#, error: "missing required field: level", reason: "missing_level"),
        .init(
            "another level", body: #"{"message":"m","level":"critical"}"#,
            error: "invalid level: must be fatal, error, warning, info, or debug", reason: "invalid_level"),
        .init(
            "an id of another shape", body: #"{"message":"m","level":"info","event_id":"7"}"#,
            error: "invalid event_id: must be 32 hex digits or a UUID", reason: "invalid_field"),
    ]

    private static let encodings: [RefusedRequest] =
        [
            .init(
                "an encoding that there is not", headers: ["Content-Encoding": "compress"], body: event, status: 415,
                error: "unsupported content encoding: compress", reason: "unsupported_encoding")
        ]
        + ["gzip", "deflate", "br", "zstd"].map { name in
            .init(
                "no \(name)", headers: ["Content-Encoding": name], body: event, error: "invalid \(name) body",
                reason: "invalid_encoding")
        }

    private static let routes: [RefusedRequest] = ["/api/v2/events", "/api/", "/api/v1/events/", "/api/v1/event"].map {
        .init("no such route \($0)", to: $0, body: event, status: 404, error: "not found", reason: "not_found")
    }

    private static func nested(_ depth: Int) -> String {
        let opening = String(repeating: "[", count: depth - 1)
        let closing = String(repeating: "]", count: depth - 1)
        return #"{"message":"m","level":"info","x":\#(opening)\#(closing)}"#
    }

    private static func padded(to size: Int) -> String {
        event + String(repeating: " ", count: size - event.utf8.count)
    }
}
