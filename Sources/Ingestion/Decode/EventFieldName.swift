/// The names of an event's fields, to recognise an event that was sent where an envelope's header should be.
enum EventFieldName {
    private static let ofEventAlone: [StaticString] = [
        "message", "logentry", "exception", "sentry.interfaces.Message", "sentry.interfaces.Exception", "level",
        "logger",
        "platform", "timestamp", "culprit", "transaction", "server_name", "tags", "extra", "contexts", "breadcrumbs",
        "stacktrace", "threads", "user", "request", "fingerprint", "modules",
    ]

    /// Whether events have a field of this name, and envelopes' headers do not.
    static func isOfEventAlone(_ name: UnsafeRawBufferPointer) -> Bool {
        ofEventAlone.contains { name.equals($0) }
    }
}
