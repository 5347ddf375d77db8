/// The names of an event's fields, by which an event is known that was sent where an envelope's header should be.
enum EventFieldName {
    private static let ofEventAlone: [StaticString] = [
        "message", "logentry", "exception", "sentry.interfaces.Message", "sentry.interfaces.Exception", "level",
        "logger",
        "platform", "timestamp", "culprit", "transaction", "server_name", "tags", "extra", "contexts", "breadcrumbs",
        "stacktrace", "threads", "user", "request", "fingerprint", "modules",
    ]

    /// Whether a name is that of a field that events have and envelopes' headers have not.
    static func isOfEventAlone(_ name: UnsafeRawBufferPointer) -> Bool {
        ofEventAlone.contains { name.equals($0) }
    }
}
