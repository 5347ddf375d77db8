import StorageChannel
import Testing

@testable import Ingestion

/// Reports of violated policies, as browsers and those who set their address send them.
struct ReportFormsTests {
    private static let report = #"{"csp-report":{"violated-directive":"img-src","blocked-uri":"https://e.example/a"}}"#

    @Test("environment and release in a report's address are columns, and in the payload")
    func labels() throws {
        let query: StaticString = "sentry_key=x&sentry_environment=beta%3Aeu+2&sentry_release=7.94%22%00%C3%28&a=b"
        let labels = #""environment":"beta:eu 2","release":"7.94\"\#u{fffd}\#u{fffd}(","#
        let one = try FieldRequest.post(Self.report, to: "/api/7/security/", query: query)
        #expect(one.text(.environment) == "beta:eu 2" && one.text(.release) == "7.94\"\u{fffd}\u{fffd}(")
        #expect(one.text(.payload) == "{" + labels + Self.report.dropFirst())
        let element = #"{"type":"csp-violation","body":{"effectiveDirective":"img-src","blockedURL":"inline"}}"#
        let two = try FieldRequest.post("[\(element), \(element)]", to: "/api/7/security/", query: query)
        for position in 0...1 {
            #expect(two.text(.environment, of: position) == "beta:eu 2")
            #expect(two.text(.payload, of: position) == "{" + labels + element.dropFirst())
        }
        let blank = try FieldRequest.post(
            Self.report, to: "/api/7/security/", query: "sentry_environment=+%20&sentry_release=")
        #expect(blank.records.first?[.environment] == nil && blank.records.first?[.release] == nil)
        #expect(blank.text(.payload) == Self.report)
    }

    @Test("a label is cut for its column, and the largest report keeps its own")
    func longLabels() throws {
        let padding = String(repeating: "x", count: Limits.eventBytes - Self.report.utf8.count - 7)
        let report = Self.report.dropLast() + #","a":"\#(padding)"}"#
        let end = try FieldRequest.post(String(report), to: "/api/7/security/", query: "sentry_release=1.0")
        #expect(end.status == 200 && end.text(.release) == "1.0")
        #expect(end.text(.payload) == #"{"release":"1.0","# + report.dropFirst())
        let edge = Edge.knowingKey()
        let query = Array(("sentry_release=" + String(repeating: "é", count: 300)).utf8)
        query.withUnsafeBytes { query in
            edge.post(Self.report, to: "/api/7/security/", token: 1) { $0.query = query }
        }
        #expect(try FieldRequest.end(of: edge).text(.release) == String(repeating: "é", count: 250))
    }

    @Test("a report whose address needs much room keeps its payload whole")
    func longAddress() throws {
        let report = #"{"csp-report":{"blocked-uri":"\n\#(String(repeating: "a", count: 1_000_000))"}}"#
        let end = try FieldRequest.post(report, to: "/api/7/security/", query: "sentry_release=1.0")
        #expect(end.status == 200 && end.text(.release) == "1.0")
        #expect(end.text(.payload) == #"{"release":"1.0","# + report.dropFirst())
    }

    @Test("reports of older policies, of network errors and of certificates are taken or counted")
    func reportPaths() throws {
        #expect(try FieldRequest.post(Self.report, to: "/api/7/csp-report/").identifiers == [1])
        #expect(try FieldRequest.post(Self.report, to: "/api/7/csp-report").status == 200)
        let errors = #"[{"age":1,"type":"network-error","url":"https://e.example/","body":{"type":"dns.failed"}}]"#
        let certificate = #"{"expect-ct-report":{"hostname":"e.example","port":443}}"#
        for (report, path) in [(errors, "/api/7/nel/"), (certificate, "/api/7/security/")] as [(String, StaticString)] {
            let edge = Edge.knowingKey()
            edge.post(report, to: path, token: 1)
            #expect(edge.calls.first?.wanted == 1)
            let end = try FieldRequest.end(of: edge)
            #expect(end.status == 200 && end.identifiers.isEmpty)
            #expect(edge.answers[1]?.outcomes.count(of: .discarded(.unsupportedItem)) == 1)
        }
        let edge = Edge()
        for (token, path) in ["/api/7/csp-report/", "/api/7/nel/"].enumerated() as EnumeratedSequence<[StaticString]> {
            edge.post("", to: path, method: "OPTIONS", key: nil, token: token)
            #expect(edge.answers[token]?.status == 204)
        }
    }
}
