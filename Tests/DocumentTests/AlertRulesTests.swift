import TestServers
import Testing

/// The alerts of prometheus/.
struct AlertRulesTests {
    private let rules: Document
    private let cases: Document

    init() throws {
        rules = try Document("prometheus/mesher.rules.yml")
        cases = try Document("prometheus/mesher.rules.test.yml")
    }

    @Test("Prometheus takes the rules, and each fires when it should and not otherwise", arguments: ["check", "test"])
    func promtool(_ command: String) throws {
        let file = command == "check" ? rules : cases
        let execution = try Execution.run("/usr/bin/promtool", [command, "rules", Document.root + "/" + file.name])
        #expect(execution.status == 0, "\(execution.output)\(execution.errors)")
    }

    @Test("Each alert has a case, and stands in docs/metrics.md")
    func everyAlert() throws {
        let named = /Mesher[A-Za-z]+/
        let alerts = rules.matches(named)
        #expect(alerts.count > 15)
        #expect(alerts == cases.matches(named))
        #expect(alerts == (try Document("docs/metrics.md")).matches(named))
    }
}
