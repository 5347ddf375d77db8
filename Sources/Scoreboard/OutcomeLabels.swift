/// The names of the outcomes that are counted, in the order of their places in a slot.
///
/// They repeat `DiscardReason`, because the watchdog must not link what edges do. Add a new one at the end.
package enum OutcomeLabels {
    /// Why an event is discarded; the place of the first in a slot is 1.
    package static let reasons = [
        "unauthorized", "payload_too_large", "invalid_json", "invalid_event", "missing_message", "missing_level",
        "invalid_level", "invalid_field", "too_many_events", "empty_bulk", "rate_limited", "unsupported_encoding",
        "invalid_encoding", "not_found", "method_not_allowed", "unavailable", "poison", "unsupported_item",
        "surplus_event", "forbidden", "invalid_key", "invalid_envelope", "too_costly",
    ]

    /// The place of accepted events.
    package static let accepted = 0

    /// The place of events discarded for a reason, by its place in `reasons`.
    package static func discarded(_ reason: Int) -> Int { reason + 1 }
}
