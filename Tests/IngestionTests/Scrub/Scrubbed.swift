import StorageChannel

@testable import Ingestion

/// What is left of an event's text.
func scrubbed(_ json: String, _ rules: String = "default") -> String {
    var scrubber = Scrubber()
    return Array(json.utf8).withUnsafeBytes { bytes in
        guard let result = scrubber.scrub(bytes, ScrubPlan(ScrubRules(rules.utf8))) else { return json }
        return String(decoding: result, as: UTF8.self)
    }
}
