import StorageChannel
import Testing

@testable import Ingestion

/// The sender's address at every door where an event can come in.
struct SenderAddressTests {
    private static let event = #"{"message":"m","level":"info","user":{"ip_address":"{{auto}}"}}"#
    private static let report = #"{"csp-report":{"violated-directive":"img-src","blocked-uri":"https://e.example/a"}}"#

    /// What is stored of a request's first event.
    private func payload(_ text: String, to path: StaticString, isOn: Bool) throws -> String {
        var options = IngestionMachine.Options()
        options.takesSenderAddress = isOn
        let address: StaticString = "2001:db8::7"
        let edge = Edge.knowingKey(options: options)
        edge.post(text, to: path, token: 1) { $0.remoteAddress = address.bytes }
        edge.grantAll()
        edge.acknowledgeAll()
        return String(decoding: try #require(edge.records.first?[.payload]), as: UTF8.self)
    }

    private static func envelope(_ type: String) -> String { "{}\n{\"type\":\"\(type)\"}\n\(event)" }

    @Test(
        "it is filled in on Sentry's routes, where the operator wants it",
        arguments: [
            (event, "/api/7/store/"), (event, "/api/7/envelope/"), (envelope("event"), "/api/7/envelope/"),
            (envelope("feedback"), "/api/7/envelope/"), (envelope("event"), "/api/7/store/"),
        ] as [(String, StaticString)])
    func filled(text: String, path: StaticString) throws {
        #expect(
            try payload(text, to: path, isOn: true) == Self.event.replacing("{{auto}}", with: "2001:db8::7"))
        #expect(try payload(text, to: path, isOn: false) == Self.event)
    }

    @Test("a browser's report gets it as a user's")
    func reports() throws {
        let user = #"{"user":{"ip_address":"2001:db8::7"},"#
        #expect(try payload(Self.report, to: "/api/7/security/", isOn: true) == user + Self.report.dropFirst())
        #expect(try payload("[\(Self.report)]", to: "/api/7/nel/", isOn: true) == user + Self.report.dropFirst())
        #expect(try payload(Self.report, to: "/api/7/security/", isOn: false) == Self.report)
    }

    @Test(
        "everything else stays as it was sent",
        arguments: [
            (event, "/api/v1/events"), ("[\(event)]", "/api/v1/events/bulk"),
            (envelope("user_report"), "/api/7/envelope/"),
        ] as [(String, StaticString)])
    func others(text: String, path: StaticString) throws {
        #expect(try payload(text, to: path, isOn: true) == Self.event)
    }
}
