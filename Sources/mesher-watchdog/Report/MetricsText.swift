internal import Scoreboard

/// Metrics in the text format 0.0.4 of Prometheus: each family with its help, its type, then its samples.
struct MetricsText {
    enum Kind: String {
        case counter, gauge, histogram
    }

    private(set) var text = ""
    private var name = ""

    /// Begins a family; what is added next belongs to it.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ value: some CustomStringConvertible, _ labels: KeyValuePairs<String, String> = [:]) {
        text += name + Self.shown(labels) + " \(value)\n"
    }

    /// A family that is one histogram.
    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram, _ reading: HistogramReading) {
        family(name, .histogram, help)
        var count: UInt64 = 0
        for (place, added) in reading.counts.enumerated() {
            count &+= added
            let bound = place < histogram.bounds.count ? "\(Double(histogram.bounds[place]) / histogram.scale)" : "+Inf"
            text += "\(name)_bucket{le=\"\(bound)\"} \(count)\n"
        }
        text += "\(name)_sum \(Double(reading.sum) / histogram.scale)\n\(name)_count \(count)\n"
    }

    private static func shown(_ labels: KeyValuePairs<String, String>) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0.key)=\"\(escaped($0.value))\"" }.joined(separator: ",") + "}"
    }

    private static func escaped(_ value: String) -> String {
        value.map { character in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(character)
            }
        }.joined()
    }
}
