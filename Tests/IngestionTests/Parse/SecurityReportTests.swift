import RecordedInputs
import StorageChannel
import Testing

@testable import Ingestion

@Suite struct SecurityReportTests {
    @Test("both forms of report name directive and blocked host, and are kept whole")
    func forms() throws {
        var parser = EventParser()
        let legacy =
            #"{"csp-report":{"document-uri":"https://shop.example/pay","referrer":"","violated-directive":"img-src 'self'","effective-directive":"img-src","original-policy":"default-src 'none'; report-uri https://in.example/api/1/security/?sentry_key=k","disposition":"enforce","blocked-uri":"https://evil.example:8443/p.png?q","line-number":3,"status-code":200}}"#
        try SentrySample(
            "legacy", legacy,
            [
                .level: "error", .logger: "csp", .message: "Blocked 'img-src' from 'evil.example:8443'",
                .payload: legacy,
                .tags: #"{"effective-directive":"img-src","blocked-uri":"https://evil.example:8443/p.png?q"}"#,
            ]
        ).expect(of: &parser, as: .securityReport(ReportLabels()))
        let reporting =
            #"{"age":1500,"body":{"blockedURL":"inline","columnNumber":1,"disposition":"enforce","documentURL":"https://shop.example/","effectiveDirective":"script-src-elem","sample":"alert(1)","statusCode":200},"type":"csp-violation","url":"https://shop.example/","user_agent":"Mozilla/5.0"}"#
        try SentrySample(
            "reporting", reporting,
            [
                .level: "error", .logger: "csp", .message: "Blocked inline 'script-src-elem'", .payload: reporting,
                .tags: #"{"effective-directive":"script-src-elem","blocked-uri":"inline"}"#,
            ]
        ).expect(of: &parser, as: .securityReport(ReportLabels()))
        #expect(try parser.parsed(legacy, as: .securityReport(ReportLabels())).timestamp == ParsedEvent.receivedAt)
        #expect(
            try parser.parsed(reporting, as: .securityReport(ReportLabels())).timestamp == ParsedEvent.receivedAt
                - 1_500_000)
    }

    @Test(
        "what is blocked is a host, a scheme, code, or the page's own",
        arguments: [
            ("http://a.example", "from 'a.example'"), ("https://u:p@a.example/x@y", "from 'a.example'"),
            ("wss://a.example?x", "from 'a.example'"), ("https://[::1]:80/", "from '[::1]:80'"),
            ("data", "from 'data'"),
            ("data:image/png;base64,AA==", "from 'data:'"), ("blob:https://a.example/1", "from 'blob:'"),
            ("self", "from 'self'"), ("", "from 'self'"), ("https://", "from ''"), (":", "from ':'"),
            (#"https:\/\/a.example\/"#, "from 'a.example'"),
        ])
    func blocked(address: String, text: String) throws {
        var parser = EventParser()
        let report = #"{"csp-report":{"violated-directive":"img-src 'self' a","blocked-uri":"\#(address)"}}"#
        let event = try parser.parsed(report, as: .securityReport(ReportLabels()))
        #expect(event.text(.message) == "Blocked 'img-src' \(text)")
        #expect(event.text(.tags)?.hasPrefix("\u{1}{\"effective-directive\":\"img-src\"") == true)
    }

    @Test("code that is blocked is named before the directive", arguments: ["inline", "eval", "wasm-eval"])
    func code(address: String) throws {
        var parser = EventParser()
        let report = #"{"csp-report":{"effective-directive":"script-src","blocked-uri":"\#(address)"}}"#
        #expect(
            try parser.parsed(report, as: .securityReport(ReportLabels())).text(.message)
                == "Blocked \(address) 'script-src'")
    }

    @Test(
        "an empty report is one",
        arguments: [
            #"{"csp-report":{}}"#, #"{"csp-report":{"blocked-uri":1,"violated-directive":[]}}"#,
            #"{"type":"csp-violation"}"#, #"{"type":"csp-violation","body":null,"age":-1e400}"#,
        ])
    func empty(report: String) throws {
        var parser = EventParser()
        let event = try parser.parsed(report, as: .securityReport(ReportLabels()))
        #expect(event.text(.message) == "Blocked 'unknown directive' from 'self'")
        #expect(event[.tags] == nil && event.timestamp == ParsedEvent.receivedAt)
    }

    @Test(
        "reports of anything else are not taken",
        arguments: [
            "{}", #"{"csp-report":[]}"#, #"{"type":"deprecation","body":{"id":"x"}}"#, #"{"expect-ct-report":{}}"#,
            #"{"type":"network-error"}"#, #"{"type":1}"#,
        ])
    func others(report: String) {
        var parser = EventParser()
        #expect(parser.refusal(of: report, as: .securityReport(ReportLabels()))?.reason == .unsupportedItem)
    }
}
