import StorageChannel
import Testing

@testable import Ingestion

/// What is stored of events of a project that wants some things removed, at every door where an event can come in.
struct ScrubbedEventsTests {
    private static let rules = ScrubRules("default email".utf8)
    private static let event = #"""
        {"message":"to bob@example.com: token=abc","level":"error","transaction":"GET /?password=x","server_name":"u:p",
        "tags":{"token":"abc","mail":"bob@example.com","card":4111111111111111},"user":{"email":"bob@example.com"},
        "request":{"headers":[["Cookie","a=b"]]},"release":"1.0"}
        """#.replacing("\n", with: "")
    private static let secrets = ["abc", "bob@example.com", "4111", "a=b", "password=x"]

    private func edge(_ rules: ScrubRules) -> Edge {
        Edge.knowingKey(quota: ProjectQuota(project: 7, events: 1_000, seconds: 60, scrub: rules))
    }

    private func text(_ record: [EventRecord.Column: [UInt8]], _ column: EventRecord.Column) -> String? {
        record[column].map { String(decoding: $0, as: UTF8.self) }
    }

    private func expectNoSecret(in records: [[EventRecord.Column: [UInt8]]], _ comment: Comment) {
        for record in records {
            for column in EventRecord.Column.allCases where column.rawValue >= EventRecord.Column.level.rawValue {
                for secret in Self.secrets { #expect(text(record, column)?.contains(secret) != true, comment) }
            }
            #expect(text(record, .payload)?.contains("[Filtered]") == true, comment)
        }
    }

    private static func envelope(_ type: String, _ item: String = event) -> String {
        "{}\n{\"type\":\"\(type)\"}\n\(item)"
    }

    private static let report = #"""
        {"csp-report":{"effective-directive":"img-src","blocked-uri":"https://bob@example.com:1@e.example/?token=abc",
        "document-uri":"https://e.example/?a=1&password=x"}}
        """#.replacing("\n", with: "")

    @Test(
        "nothing of what is to be removed is in a column or in the payload, whatever the route",
        arguments: [
            (event, "/api/v1/events", 1), ("[\(event),\(event)]", "/api/v1/events/bulk", 2),
            ("\(event)\n\(event)\n", "/api/v1/events/bulk", 2), (event, "/api/7/store/", 1),
            (envelope("event"), "/api/7/envelope/", 1), (envelope("feedback"), "/api/7/envelope/", 1),
            (
                envelope("user_report", #"{"name":"b","email":"bob@example.com","comments":"my token=abc"}"#),
                "/api/7/envelope/", 1
            ),
            (report, "/api/7/security/", 1),
        ] as [(String, StaticString, Int)])
    func routes(body: String, path: StaticString, count: Int) throws {
        let edge = edge(Self.rules)
        edge.post(body, to: path, token: 1)
        let end = try FieldRequest.end(of: edge)
        #expect(end.status / 100 == 2 && end.records.count == count)
        expectNoSecret(in: end.records, "\(path)")
        let off = self.edge(.off)
        off.post(body, to: path, token: 1)
        #expect(try FieldRequest.end(of: off).text(.payload)?.contains("[Filtered]") == false)
    }

    @Test("nor of a stream's messages, from the moment that the rules are heard of")
    func stream() throws {
        let edge = Edge.knowingKey()
        edge.machine.openStream(Edge.key)
        func send(_ token: Int) {
            var body = Body(count: Self.event.utf8.count)
            body.withUnsafeMutableBytes { $0.copyBytes(from: Self.event.utf8) }
            edge.machine.receive(message: body, firstID: UInt128(10 * token), token: token, now: edge.now, wall: 0)
            edge.turn()
            edge.grantAll()
            edge.acknowledgeAll()
        }
        send(1)
        edge.tell(.known, ProjectQuota(project: 7, events: 1_000, seconds: 60, scrub: Self.rules))
        send(2)
        edge.tell(.known, Edge.quota)
        send(3)
        #expect(edge.records.count == 3)
        expectNoSecret(in: [edge.records[1]], "a stream")
        #expect(text(edge.records[0], .payload) == Self.event && text(edge.records[2], .payload) == Self.event)
    }

    @Test("the columns have what the payload has")
    func columns() throws {
        let edge = edge(Self.rules)
        edge.post(Self.event, to: "/api/7/store/", token: 1)
        let end = try FieldRequest.end(of: edge)
        #expect(end.text(.message) == "to [Filtered]: token=[Filtered]")
        #expect(end.text(.transaction) == "GET /?password=[Filtered]")
        #expect(end.text(.serverName) == "u:p" && end.text(.release) == "1.0" && end.text(.userID) == "[Filtered]")
        #expect(end.text(.tags) == "\u{1}" + #"{"token":"[Filtered]","mail":"[Filtered]","card":"[Filtered]"}"#)
    }

    @Test("an event is refused for what it was, at the byte at which it was so")
    func refusals() throws {
        for body in [
            #"{"token":"x","message":nonsense}"#, #"{"token":"x"}"#, #"{"token":"x","message":1,"level":"info"}"#,
        ] {
            var texts: [String] = []
            for rules in [ScrubRules.off, Self.rules] {
                let edge = edge(rules)
                edge.post(body, token: 1)
                texts.append(try FieldRequest.end(of: edge).text)
            }
            #expect(texts[0] == texts[1] && texts[0].contains("error"))
        }
    }

    @Test("a field of the event stays of the type that it must have, whatever names are removed")
    func contract() throws {
        let all =
            "message level event_id timestamp platform tags user extra exception breadcrumbs fingerprint stacktrace"
        let edge = edge(ScrubRules((all + " environment release").utf8))
        edge.post(
            #"{"message":"m","level":"info","timestamp":1,"platform":"p","tags":{"a":1},"user":{"id":2},"extra":{"a":[3]},"#
                + #""exception":{"values":[{"type":"t"}]},"breadcrumbs":[4],"fingerprint":["f"],"stacktrace":{}}"#,
            token: 1)
        let end = try FieldRequest.end(of: edge)
        #expect(end.status == 202 && end.text(.level) == "info" && end.text(.message) == "[Filtered]")
        #expect(end.text(.userID) == "[Filtered]" && end.text(.tags) == "\u{1}" + #"{"a":"[Filtered]"}"#)
        #expect(end.text(.exceptionType) == "[Filtered]")
    }

    @Test(
        "where addresses are removed, none is put where an event leaves its user's open",
        arguments: ["ip", "ip_address"])
    func senderAddress(rules: String) throws {
        var options = IngestionMachine.Options()
        options.takesSenderAddress = true
        let address: StaticString = "2001:db8::7"
        let quota = ProjectQuota(project: 7, events: 1_000, seconds: 60, scrub: ScrubRules(rules.utf8))
        for (body, path) in [
            (#"{"platform":"javascript"}"#, "/api/7/store/"), (#"{"user":{"ip_address":"{{auto}}"}}"#, "/api/7/store/"),
            (Self.report, "/api/7/security/"),
        ] as [(String, StaticString)] {
            let edge = Edge.knowingKey(options: options, quota: quota)
            edge.post(body, to: path, token: 1) { $0.remoteAddress = address.bytes }
            #expect(try FieldRequest.end(of: edge).text(.payload)?.contains("2001") == false)
        }
    }

    @Test("what the address of a report's request says is treated alike")
    func labels() throws {
        let edge = edge(ScrubRules("default email release".utf8))
        let query: StaticString = "sentry_environment=bob@example.com+eu&sentry_release=1.0"
        edge.post(Self.report, to: "/api/7/security/", token: 1) { $0.query = query.bytes }
        let end = try FieldRequest.end(of: edge)
        #expect(end.text(.environment) == "[Filtered] eu" && end.text(.release) == "[Filtered]")
        #expect(end.text(.payload)?.hasPrefix(#"{"environment":"[Filtered] eu","release":"[Filtered]","#) == true)
    }

    @Test("storage of an older release knows no rules, and of a key all else")
    func olderStorage() throws {
        let edge = Edge()
        var frames = FrameWriter()
        frames.frame(.hello) { $0.integer(UInt16(2)) }
        edge.receive(frames.bytes)
        edge.post(token: 1) { $0.origin = StaticString("https://a.example").bytes }
        let quota = ProjectQuota(
            project: 7, events: 9, seconds: 60, origins: AllowedOrigins("https://a.example".utf8), scrub: Self.rules)
        var key = FrameWriter()
        key.key(Edge.key, .known, quota, version: 2)
        edge.receive(key.bytes)
        #expect(edge.calls.first?.limit == 9)
        #expect(try FieldRequest.end(of: edge).status == 202)
    }
}
