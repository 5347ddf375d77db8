/// The reasons for which Sentry SDKs report dropped events, in the order of their places in a slot. Only documented
/// reasons count, so that strangers cannot make up labels.
package enum ClientDiscardLabels {
    package static let reasons = [
        "queue_overflow", "cache_overflow", "buffer_overflow", "ratelimit_backoff", "network_error", "sample_rate",
        "before_send", "event_processor", "send_error", "internal_sdk_error", "insufficient_data", "backpressure",
        "other",
    ]

    /// The place of a reason; that of `other` for one that is not in the list.
    package static func place(of reason: UnsafeRawBufferPointer) -> Int {
        reasons.firstIndex { $0.utf8.elementsEqual(reason) } ?? reasons.count - 1
    }
}
