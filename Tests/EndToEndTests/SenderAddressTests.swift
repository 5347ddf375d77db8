import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// What becomes of the address that a request came from.
    struct SenderAddressTests {
        private static let event = #"{"message":"m","level":"info","user":{"ip_address":"{{auto}}"}}"#

        /// Sends the same from another address, as a proxy tells it, by every route; returns the users' addresses.
        private func addresses(in project: Project) throws -> [String] {
            let large = #"{"padding":"\#(String(repeating: "x", count: 100_000))",\#(Self.event.dropFirst())"#
            let report = #"{"csp-report":{"effective-directive":"img-src","blocked-uri":"http://e.example/x"}}"#
            for (target, body) in [
                ("/api/\(project.id)/store/", Self.event), ("/api/\(project.id)/store/", large),
                ("/api/\(project.id)/envelope/", "{}\n{\"type\":\"event\"}\n" + Self.event),
                ("/errors/api/\(project.id)/store/", Self.event), ("/api/\(project.id)/security/", report),
                ("/api/v1/events", Self.event),
            ] {
                let forwarded = [("X-Forwarded-For", "2001:db8::7")]
                let status = try project.stack.post(body, to: target, key: project.key, forwarded).status
                #expect(status == 200 || status == 202, "\(target)")
            }
            let rows = try project.stack.query(
                """
                SELECT coalesce(payload->'user'->>'ip_address', 'none') FROM events WHERE project_id = \(project.id)
                ORDER BY received_at
                """)
            return rows.map { $0[0] }
        }

        @Test(
            "Where the operator wants it an event's user has the address that nginx names; one that it trusts tells it")
        func on() throws {
            let stack = try Stack(settings: ["MESHER_SENDER_ADDRESS=on"])
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            #expect(try addresses(in: project) == Array(repeating: "127.0.0.1", count: 5) + ["{{auto}}"])
            let trusting = "access_log off; set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;"
            try Nginx(of: stack).withChanged("nginx.conf", replacing: "access_log off;", by: trusting) {
                let other = try Project.create(on: stack)
                #expect(try addresses(in: other) == Array(repeating: "2001:db8::7", count: 5) + ["{{auto}}"])
            }
        }

        @Test("Else nothing of the sender is stored that the event does not say")
        func off() throws {
            let project = try Project.create(on: EndToEnd.stack())
            #expect(
                try addresses(in: project) == ["{{auto}}", "{{auto}}", "{{auto}}", "{{auto}}", "none", "{{auto}}"])
            let rows = try project.stack.query(
                "SELECT count(*) FROM events WHERE project_id = \(project.id) AND events::text LIKE '%127.0.0.1%'")
            #expect(rows == [["0"]])
        }
    }
}
