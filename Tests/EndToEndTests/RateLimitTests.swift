import Foundation
import TestServers
import Testing

extension EndToEnd {
    struct RateLimitTests {
        let project: Project
        private let event = #"{"message":"m","level":"info"}"#

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        /// Sets a limit, and returns when the workers have heard of it.
        private func limit(_ events: Int, seconds: Int) throws {
            try project.stack.mesher(
                "project", "set", project.slug, "--rate-limit", "\(events)", "--rate-limit-window", "\(seconds)")
            let policy = "\"project\";q=\(events);w=\(seconds)"
            // An event that is refused by its content still costs one: what is refused before the limit says nothing of it.
            let isKnown = try eventually { try project.post("{}").header("RateLimit-Policy") == policy }
            try #require(isKnown)
        }

        @Test("As many events as the limit says are taken in a window, then none, and in the next window all again")
        func window() throws {
            try limit(20, seconds: 5)
            // From the beginning of a window that nothing was counted in yet.
            let isFresh = try eventually { try project.post(event).header("RateLimit")?.contains("r=19;") == true }
            try #require(isFresh)
            let statuses = try (0..<19).map { _ in try project.post(event).status }
            #expect(statuses.allSatisfy { $0 == 202 })
            let refused = try project.post(event)
            #expect(refused.status == 429)
            #expect(refused.text == #"{"error":"rate limited","reason":"rate_limited"}"#)
            let seconds = try #require(refused.header("Retry-After").flatMap { Int($0) })
            #expect((1...5).contains(seconds))
            #expect(refused.header("X-Sentry-Rate-Limits") == "\(seconds)::project")
            #expect(refused.header("RateLimit-Policy") == #""project";q=20;w=5"#)
            #expect(refused.header("RateLimit")?.contains("r=0;") == true)
            let isTakenAgain = try eventually { try project.post(event).status == 202 }
            #expect(isTakenAgain)
        }

        @Test("A bulk is granted as far as the window allows, and the rest of it is refused")
        func bulk() throws {
            try limit(10, seconds: 2)
            let events = "[" + Array(repeating: event, count: 15).joined(separator: ",") + "]"
            var response = try project.postBulk(events)
            let isWhole = try eventually {
                response = try project.postBulk(events)
                return response.json["accepted"] as? Int == 10
            }
            #expect(isWhole)
            #expect(response.status == 202)
            #expect(response.json["rejected"] as? Int == 5)
            let errors = try #require(response.json["errors"] as? [[String: Any]])
            #expect(errors.allSatisfy { $0["status"] as? Int == 429 && $0["reason"] as? String == "rate_limited" })
            #expect(try project.postBulk(events).status == 429)
        }

        @Test("What is refused before it is counted costs nothing")
        func freeRefusals() throws {
            try limit(50, seconds: 60)
            let before = try project.post(event)
            for _ in 0..<60 {
                #expect(try project.post(event, [("Content-Encoding", "gzip")]).status == 400)
                #expect(try project.post(event, [("Content-Encoding", "none")]).status == 415)
                #expect(try project.stack.post(event, key: String(repeating: "0", count: 32)).status == 401)
            }
            let after = try project.post(event)
            #expect(before.status == 202 && after.status == 202)
            func left(_ response: HTTPResponse) throws -> Int {
                let field = try #require(
                    response.header("RateLimit")?.split(separator: ";").first { $0.hasPrefix("r=") })
                return try #require(Int(field.dropFirst(2)))
            }
            #expect(try left(after) == left(before) - 1)
        }

        @Test("A larger limit is soon in force, also where the window was exhausted")
        func largerLimit() throws {
            try limit(1, seconds: 60)
            let isExhausted = try eventually { try project.post(event).status == 429 }
            try #require(isExhausted)
            try project.stack.mesher("project", "set", project.slug, "--rate-limit", "1000")
            let isTaken = try eventually { try project.post(event).status == 202 }
            #expect(isTaken)
        }

        @Test("HTTP, bulk and 50 streams of one project at once: of 3,000 events exactly 1,000 are taken")
        func allDoors() throws {
            try limit(1_000, seconds: 600)
            let areAllTold = try eventually {
                try ((0..<20).map { _ in try project.post("{}") } + [project.postBulk("[{}]")])
                    .allSatisfy { $0.header("RateLimit-Policy") == #""project";q=1000;w=600"# }
            }
            try #require(areAllTold)
            // What the asking has cost.
            try Outage(stack: project.stack).redis("DEL", "mesher:limit:{\(project.id)}")
            let streams = Streams(project: project)
            let clients = try (0..<50).map { _ in try streams.open(throughNginx: true) }
            let posts = try clients.map { _ in try HTTPConnection(port: project.stack.port) }
            let bulks = try (0..<10).map { _ in try HTTPConnection(port: project.stack.port) }
            let authorization = ("Authorization", "Bearer \(project.key)")
            let hundred = Array("[\(Array(repeating: event, count: 100).joined(separator: ","))]".utf8)
            // Nothing is read before all is sent.
            for round in 0..<20 {
                for client in clients { client.send(event) }
                for post in posts { post.send("POST", "/api/v1/events", [authorization], body: Array(event.utf8)) }
                if round < bulks.count {
                    bulks[round].send("POST", "/api/v1/events/bulk", [authorization], body: hundred)
                }
            }
            var accepted = 0
            var refusals: Set<String> = []
            for client in clients {
                for _ in 0..<20 {
                    switch client.receive() {
                    case .text(let text) where text.hasPrefix(#"{"status":"accepted""#): accepted += 1
                    case .text(let text): refusals.insert(text)
                    default: Issue.record("a stream ended")
                    }
                }
            }
            #expect(refusals.allSatisfy { $0.hasPrefix(Self.refusal.dropLast() + #","retry_after":"#) }, "\(refusals)")
            for post in posts {
                for _ in 0..<20 {
                    let response = try post.receive()
                    if response.status == 202 { accepted += 1 }
                    if response.status != 202 { #expect(response.status == 429 && response.text == Self.refusal) }
                }
            }
            for bulk in bulks {
                let response = try bulk.receive()
                let taken = response.json["accepted"] as? Int ?? 0
                #expect(response.status == (taken > 0 ? 202 : 429))
                accepted += taken
            }
            #expect(accepted == 1_000)
            #expect(try project.count() == 1_000)
        }

        private static let refusal = #"{"error":"rate limited","reason":"rate_limited"}"#
    }
}
