/// What a decoded body is made of.
enum BodyFormat {
    /// One event.
    case event
    /// Events in an array, or one per line.
    case array, lines
    /// A Sentry envelope.
    case envelope
    /// One event of a Sentry SDK, perhaps deflated and in base64 without a header that says so.
    case sentryEvent
    /// A browser's report, or an array of them.
    case reports

    init(_ route: Route, contentType: UnsafeRawBufferPointer?) {
        switch route {
        case .bulk: self = Self.isLines(contentType) ? .lines : .array
        case .envelope: self = .envelope
        case .store: self = Self.essence(contentType, is: "application/x-sentry-envelope") ? .envelope : .sentryEvent
        case .security: self = .reports
        case .event, .key, .health, .readiness, .preflight: self = .event
        }
    }

    private static func isLines(_ type: UnsafeRawBufferPointer?) -> Bool {
        essence(type, is: "application/x-ndjson") || essence(type, is: "application/ndjson")
            || essence(type, is: "application/jsonl")
    }

    /// Whether a media type without its parameters (RFC 9110, section 8.3.1) is this one, written in small letters.
    private static func essence(_ type: UnsafeRawBufferPointer?, is name: StaticString) -> Bool {
        guard let type else { return false }
        let essence = type.trimmed(from: 0, to: type.firstIndex(of: UInt8(ascii: ";")) ?? type.count)
        return essence.count == name.utf8CodeUnitCount && essence.startsIgnoringCase(at: 0, with: name)
    }
}
