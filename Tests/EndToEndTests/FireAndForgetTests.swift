import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// Programs that send a request and do not stay for the answer: PHP's `fsockopen` and `fclose`, pages that are left.
    struct FireAndForgetTests {
        /// What a client does as soon as its last byte is written.
        enum Parting: CaseIterable {
            case close, halfClose, reset
        }

        struct Kind: CustomTestStringConvertible, Sendable {
            let name: String
            /// `N` is the project's number.
            let path: String
            /// The body, with an event of this id where it can have one.
            let body: @Sendable (_ id: String) -> String
            /// Whether it is sent in chunks.
            var isChunked = false
            /// Rows of one request.
            var rows = 1

            var testDescription: String { name }
        }

        /// More than small bodies have, and no more than the system takes while nginx does not read.
        private static let large = String(repeating: "x", count: 66_000)

        private static func event(_ id: String, _ padding: String = "") -> String {
            #"{"event_id":"\#(id)","message":"fire and forget","level":"error","extra":{"padding":"\#(padding)"}}"#
        }

        private static let report =
            #"{"csp-report":{"effective-directive":"img-src","blocked-uri":"http://e.example/x"}}"#

        static let kinds = [
            Kind(name: "one event", path: "/api/v1/events") { event($0) },
            Kind(name: "one large event", path: "/api/v1/events") { event($0, large) },
            Kind(name: "one event in chunks", path: "/api/v1/events", body: { event($0) }, isChunked: true),
            Kind(
                name: "a bulk", path: "/api/v1/events/bulk",
                body: { #"[\#(event($0)),{"message":"second","level":"info"}]"# }, rows: 2),
            Kind(
                name: "a large bulk", path: "/api/v1/events/bulk",
                body: { #"[\#(event($0, large)),{"message":"second","level":"info"}]"# }, rows: 2),
            Kind(name: "an envelope", path: "/api/N/envelope/") { "{}\n{\"type\":\"event\"}\n\(event($0))" },
            Kind(name: "a large envelope", path: "/api/N/envelope/") {
                "{}\n{\"type\":\"event\"}\n\(event($0))\n{\"type\":\"attachment\",\"length\":\(large.utf8.count)}\n\(large)"
            },
            Kind(name: "a store request", path: "/api/N/store/") { event($0) },
            Kind(name: "a large store request", path: "/api/N/store/") { event($0, large) },
            Kind(name: "a report", path: "/api/N/security/") { _ in report },
        ]

        let project: Project

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        /// Sends the first bytes of a request, all unless `missing` says how many are left out, and parts.
        private func send(_ kind: Kind, _ parting: Parting, missing: Int = 0) throws {
            let id = UUID().uuidString.lowercased().filter { $0 != "-" }
            let body = Array(kind.body(id).utf8)
            let path = kind.path.replacing("N", with: "\(project.id)")
            var head = "POST \(path) HTTP/1.1\r\nHost: x\r\nX-Sentry-Auth: Sentry sentry_key=\(project.key)\r\n"
            var bytes = body
            if kind.isChunked {
                head += "Transfer-Encoding: chunked\r\n\r\n\(String(body.count, radix: 16))\r\n"
                bytes += Array("\r\n0\r\n\r\n".utf8)
            } else {
                head += "Content-Length: \(body.count)\r\nConnection: Close\r\n\r\n"
            }
            let connection = try HTTPConnection(port: project.stack.port)
            connection.send(Array((Array(head.utf8) + bytes).dropLast(missing)))
            switch parting {
            case .close: break
            case .reset: connection.reset()
            case .halfClose:
                connection.finishSending()
                if missing == 0 { #expect(try (200...202).contains(connection.receive().status)) }
            }
        }

        @Test("A request that came whole is stored, whether or not its sender stays for the answer", arguments: kinds)
        func whole(kind: Kind) throws {
            let count = 20
            for _ in 0..<count { for parting in Parting.allCases { try send(kind, parting) } }
            var rows = 0
            _ = try eventually {
                rows = try project.count()
                return rows >= 3 * count * kind.rows
            }
            #expect(rows == 3 * count * kind.rows)
        }

        @Test("Where nginx heeds that its client has gone, some of them are lost: the control")
        func control() throws {
            let kind = try #require(Self.kinds.first)
            let line = "fastcgi_ignore_client_abort on;"
            let count = 200
            try Nginx(of: project.stack).withChanged("mesher-fastcgi.conf", replacing: line, by: "") {
                for _ in 0..<count { try send(kind, .close) }
                // What nginx had before this one it has dropped or passed on by now.
                #expect(try project.post(Self.event(String(repeating: "a", count: 32))).status == 202)
            }
            #expect(try project.count() <= count)
        }

        @Test("So is one whose sender has gone before any worker looks at it, or at its key", arguments: kinds)
        func busyWorkers(kind: Kind) throws {
            let processes = Processes(stack: project.stack)
            let workers = ["events", "bulk"].flatMap { processes.children("mesher-worker", $0) }
            try #require(workers.count >= 2)
            for worker in workers { kill(worker, SIGSTOP) }
            defer { for worker in workers { kill(worker, SIGCONT) } }
            for _ in 0..<10 { try send(kind, .close) }
            for worker in workers { kill(worker, SIGCONT) }
            var rows = 0
            _ = try eventually {
                rows = try project.count()
                return rows >= 10 * kind.rows
            }
            #expect(rows == 10 * kind.rows)
        }

        @Test("A request that was cut short is never taken for whole", arguments: kinds)
        func cut(kind: Kind) throws {
            for _ in 0..<5 { for parting in Parting.allCases { try send(kind, parting, missing: 1) } }
            // What came before is stored when what came after it is.
            let other = Kind(name: "", path: "/api/v1/events") { Self.event($0) }
            try send(other, .halfClose)
            #expect(try project.count() == 1)
        }
    }
}
