import Foundation
import TestServers
import Testing

/// The metrics of a stack's host at one moment, as the parser of the Prometheus client for Python reads them.
struct HostMetrics {
    struct Sample: Decodable {
        let family: String
        let type: String
        let name: String
        let labels: [String: String]
        let value: Double
    }

    let samples: [Sample]

    /// Fetches them from the operator's server.
    static func fetch(from stack: Stack) throws -> HostMetrics {
        let script = """
            import json, sys, urllib.request
            from prometheus_client.parser import text_string_to_metric_families
            with urllib.request.urlopen(sys.argv[1] + '/metrics') as answer:
                assert answer.headers['Content-Type'] == 'text/plain; version=0.0.4; charset=utf-8', answer.headers
                text = answer.read().decode()
            print(json.dumps([
                {'family': family.name, 'type': family.type, 'name': sample.name, 'labels': sample.labels,
                 'value': min(sample.value, sys.float_info.max)}
                for family in text_string_to_metric_families(text) for sample in family.samples]))
            """
        // Debian's own, for which there is a package of the client.
        let output = try Execution.output(["/usr/bin/python3", "-c", script, stack["MESHER_OPERATOR_URL"]])
        return HostMetrics(samples: try JSONDecoder().decode([Sample].self, from: Data(output.utf8)))
    }

    /// Fetches them when they were written after now.
    static func next(from stack: Stack) throws -> HostMetrics {
        let now = Date().timeIntervalSince1970
        var metrics = try fetch(from: stack)
        _ = try eventually(within: 20) {
            metrics = try fetch(from: stack)
            return metrics["mesher_metrics_timestamp_seconds"] > now
        }
        return metrics
    }

    /// The sum of all samples of a name that have these labels.
    subscript(_ name: String, labels: [String: String]) -> Double {
        samples.filter { sample in
            sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }.reduce(0) { $0 + $1.value }
    }

    subscript(_ name: String) -> Double { self[name, [:]] }

    var accepted: Int { Int(self["mesher_events_total", ["outcome": "accepted"]]) }
}
