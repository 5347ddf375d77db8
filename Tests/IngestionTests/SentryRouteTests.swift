import StorageChannel
import Testing

@testable import Ingestion

/// The machine as Sentry's programs meet it.
struct SentryRouteTests {
    private static let id = "9ec79c33ec9942ab8353589fcb2e04dc"
    private static let header = #"{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc"}"#
    private static let envelope = "\(header)\n{\"type\":\"event\"}\n\(Edge.validEvent)\n"

    /// Posts and does what Redis and storage would do when all is well.
    private func answer(
        _ bytes: [UInt8], to path: StaticString = "/api/7/envelope/", key: String? = Edge.keyText,
        configure: (inout RequestHead) -> Void = { _ in }
    ) throws -> (answer: Answer, text: String, identifiers: [UInt128]) {
        let edge = Edge()
        edge.post(bytes: bytes, to: path, key: key, token: 1, configure: configure)
        if !edge.lookUps.isEmpty { edge.tell(.known) }
        edge.grantAll()
        edge.acknowledgeAll()
        #expect(edge.machine.requestsInHand == 0 && edge.machine.bytesInHand == 0)
        return (try #require(edge.answers[1]), edge.text(1) ?? "", edge.identifiers)
    }

    private func answer(
        _ text: String, to path: StaticString = "/api/7/envelope/", key: String? = Edge.keyText,
        configure: (inout RequestHead) -> Void = { _ in }
    ) throws -> (answer: Answer, text: String, identifiers: [UInt128]) {
        try answer(Array(text.utf8), to: path, key: key, configure: configure)
    }

    private func bytes(_ text: StaticString) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    @Test(
        "an envelope is found with and without a slash at the end, and with doubled ones",
        arguments: [
            "/api/7/envelope/", "/api/7/envelope", "//api//7//envelope//", "/api/7/store/", "/api/7/store",
            "/api/store/", "/api/store",
        ] as [StaticString])
    func paths(path: StaticString) throws {
        let (answer, text, _) = try answer(Self.envelope, to: path) {
            $0.contentType = bytes("application/x-sentry-envelope; charset=utf-8")
        }
        #expect(answer.status == 200)
        #expect(text == #"{"id":"\#(Self.id)"}"#)
        #expect(answer.outcomes.count(of: .accepted) == 1)
    }

    @Test(
        "other paths, and other methods, are no routes",
        arguments: [
            ("/api/7/envelopes/", "POST", 404), ("/api/7/minidump/", "POST", 404), ("/api/envelope/", "POST", 404),
            ("/api/7/store/x", "POST", 404), ("/apis/7/store/", "POST", 404), ("/api/7", "POST", 404),
            ("/api/7/envelope/", "GET", 405), ("/api/store/", "PUT", 405), ("/api/7/security/", "OPTIONS", 204),
        ] as [(StaticString, StaticString, Int)])
    func noPaths(path: StaticString, method: StaticString, status: Int) throws {
        let (answer, text, _) = try answer("") { head in
            head.path = bytes(path)
            head.method = bytes(method)
        }
        #expect(answer.status == status)
        if status == 405 {
            #expect(text == #"{"detail":"method not allowed","causes":["method_not_allowed"]}"#)
            #expect(answer.allow == "POST, OPTIONS")
        }
    }

    @Test("the key may stand in the envelope's header alone, whose host does not matter")
    func keyOfEnvelope() throws {
        let dsn = #"{"dsn":"http://\#(Edge.keyText)@elsewhere.example/tunnel/7"}"#
        let text = dsn + "\n{\"type\":\"event\"}\n" + Edge.validEvent
        for compression in [nil, .gzip, .zlib, .raw] as [Compression?] {
            let body = compression?.compress(Array(text.utf8)) ?? Array(text.utf8)
            let name = compression?.encoding.name
            #expect(
                try answer(body, key: nil) { if let name { $0.contentEncoding = bytes(name) } }.answer.status == 200,
                "\(compression?.rawValue ?? "plain")")
        }
        #expect(try answer(text, to: "/api/8/envelope/", key: nil).answer.status == 403)
        let other = dsn.replacing("/7", with: "/8") + "\n{\"type\":\"event\"}\n" + Edge.validEvent
        #expect(try answer(other, key: nil).answer.status == 403)
    }

    @Test(
        "each kind of refusal has its status, its reason in a header and in JSON",
        arguments: [
            (nil, "/api/7/envelope/", 401, "unauthorized", "unauthorized"),
            ("xyz", "/api/7/envelope/", 400, "invalid sentry_key: must be 32 hex digits", "invalid_key"),
            (Edge.keyText, "/api/8/envelope/", 403, "the project is not that of the key", "forbidden"),
            (Edge.keyText, "/api/x/envelope/", 403, "the project is not that of the key", "forbidden"),
            (
                Edge.keyText + ", sentry_version=8", "/api/7/store/", 400, "invalid sentry_version: must be at most 7",
                "invalid_key"
            ),
            (Edge.keyText, "/api/7/store/", 400, "invalid encoding", "invalid_json"),
        ] as [(String?, StaticString, Int, String, String)])
    func refusals(key: String?, path: StaticString, status: Int, detail: String, reason: String) throws {
        let isOfKey = reason != "invalid_json"
        let (answer, text, _) = try answer(
            isOfKey ? Self.header + "\n" : "{", to: path, key: key.map { "Sentry sentry_key=\($0)" })
        #expect(answer.status == status)
        #expect(text.hasSuffix(#","causes":["\#(reason)"]}"#))
        #expect(answer.dialect == .sentry)
        if isOfKey {
            #expect(text.hasPrefix(#"{"detail":"\#(detail)""#))
            #expect(answer.fault == detail)
        }
    }

    @Test("an unknown or revoked key is 403; one that cannot be checked is 503 for one second")
    func keys() throws {
        for (state, status) in [(KeyState.unknown, 403), (.unavailable, 503)] {
            let edge = Edge()
            for token in 1...2 {
                edge.post(Self.envelope, to: "/api/7/envelope/", token: token)
                edge.tell(state)
                #expect(edge.answers[token]?.status == status)
            }
            if status == 503 { #expect(edge.answers[1]?.retryAfter == 1) }
        }
    }

    @Test("what storage refuses for a minute is 503 for one second, since some programs then stop altogether")
    func unavailable() throws {
        let edge = Edge.knowingKey()
        edge.post(Self.envelope, to: "/api/7/envelope/", token: 1)
        edge.grantAll()
        edge.acknowledge(edge.tickets, .unavailable, retryAfter: 60)
        #expect(edge.answers[1]?.status == 503)
        #expect(edge.answers[1]?.retryAfter == 1)
        #expect(edge.text(1) == #"{"detail":"temporarily unavailable","causes":["unavailable"]}"#)
    }

    @Test("items that are no events cost nothing, and are answered 200 with the header's id, or none")
    func otherItems() throws {
        let items =
            "{\"type\":\"session\"}\n{}\n{\"type\":\"attachment\",\"length\":3}\n\0\n\0\n{\"type\":\"never heard of\"}\n"
        let edge = Edge.knowingKey()
        edge.post("\(Self.header)\n\(items)", to: "/api/7/envelope/", token: 1)
        edge.post("{}\n\(items)", to: "/api/7/envelope/", token: 2)
        edge.post("{}", to: "/api/7/envelope/", token: 3)
        #expect(edge.calls.isEmpty && edge.tickets.isEmpty)
        #expect(edge.text(1) == #"{"id":"\#(Self.id)"}"#)
        #expect(edge.text(2) == "{}" && edge.text(3) == "{}")
        #expect(edge.answers.values.allSatisfy { $0.status == 200 })
        #expect(edge.answers[1]?.outcomes.count(of: .discarded(.unsupportedItem)) == 3)
    }

    @Test("further events of an envelope are counted, and neither stored nor refused")
    func surplus() throws {
        let item = "{\"type\":\"event\"}\n\(Edge.validEvent)\n"
        let (answer, _, identifiers) = try answer("\(Self.header)\n\(item)\(item)\(item)")
        #expect(answer.status == 200)
        #expect(identifiers.count == 1)
        #expect(answer.outcomes.count(of: .accepted) == 1)
        #expect(answer.outcomes.count(of: .discarded(.surplusEvent)) == 2)
    }

    @Test("the limit is told on the 200 that used it up, and then on 429; what is no event passes")
    func limit() throws {
        let edge = Edge.knowingKey()
        edge.post(Self.envelope, to: "/api/7/envelope/", token: 1)
        let call = try #require(edge.calls.first)
        #expect(call.wanted == 1)
        edge.grant(call, LimitScript.Grant(granted: 1, used: 1_000, left: 41_500))
        edge.acknowledgeAll()
        #expect(edge.answers[1]?.status == 200)
        #expect(edge.answers[1]?.quota?.remaining == 0)
        edge.post(Self.envelope, to: "/api/7/envelope/", token: 2)
        edge.post(Edge.validEvent, to: "/api/7/store/", token: 3)
        edge.post("{}\n{\"type\":\"session\"}\n{}", to: "/api/7/envelope/", token: 4)
        #expect(edge.answers[2]?.status == 429 && edge.answers[3]?.status == 429)
        #expect(edge.answers[2]?.retryAfter == 42)
        #expect(edge.answers[4]?.status == 200)
        #expect(edge.machine.bytesInHand == 0)
    }

    @Test(
        "a store request carries its event plain, compressed, or deflated in base64 without saying so",
        arguments: ["plain", "gzip", "deflate", "raw", "base64", "base64 in lines", "empty encoding", "UTF-8"])
    func storeForms(form: String) throws {
        let event = Array(Edge.validEvent.utf8)
        let body: [UInt8] =
            switch form {
            case "gzip": Compression.gzip.compress(event)
            case "deflate": Compression.zlib.compress(event)
            case "raw": Compression.raw.compress(event)
            case "base64": Array(Base64Text.encode(Compression.zlib.compress(event), lines: false).utf8)
            case "base64 in lines": Array(Base64Text.encode(Compression.zlib.compress(event), lines: true).utf8)
            default: event
            }
        let encoding: StaticString? =
            switch form {
            case "gzip": "gzip"
            case "deflate", "raw": "deflate"
            case "empty encoding": ""
            case "UTF-8": "UTF-8"
            default: nil
            }
        let (answer, text, identifiers) = try answer(body, to: "/api/7/store/") {
            if let encoding { $0.contentEncoding = bytes(encoding) }
        }
        #expect(answer.status == 200)
        #expect(text == #"{"id":"00000000000000000000000000000001"}"#)
        #expect(identifiers == [1])
    }

    @Test("only pages of the origins that a project names may send; a program that is no browser may all the same")
    func origins() throws {
        let quota = ProjectQuota(
            project: 7, events: 1_000, seconds: 60, origins: AllowedOrigins("https://shop.example".utf8))
        let edge = Edge.knowingKey(quota: quota)
        edge.post(Self.envelope, to: "/api/7/envelope/", token: 1) { $0.origin = bytes("https://Shop.example") }
        edge.post(Self.envelope, to: "/api/7/envelope/", token: 2) { $0.origin = bytes("https://evil.example") }
        edge.post(token: 3) { $0.origin = bytes("null") }
        edge.post(token: 4)
        edge.grantAll()
        edge.acknowledgeAll()
        #expect(edge.answers[1]?.status == 200 && edge.answers[4]?.status == 202)
        #expect(edge.text(2) == #"{"detail":"the origin is not allowed","causes":["forbidden"]}"#)
        #expect(edge.text(3) == #"{"error":"the origin is not allowed","reason":"forbidden"}"#)
        #expect(edge.answers[2]?.status == 403 && edge.answers[3]?.status == 403)
    }

    @Test("each report of a violated policy is an event, and reports of other things are counted")
    func securityReports() throws {
        let report = #"{"csp-report":{"effective-directive":"img-src","blocked-uri":"http://evil.example/x"}}"#
        let one = try answer(report, to: "/api/7/security/")
        #expect(one.answer.status == 200 && one.identifiers == [1])
        let violation = #"{"type":"csp-violation","body":{"effectiveDirective":"img-src","blockedURL":"inline"}}"#
        let many = try answer(
            #" [\#(violation),{"type":"deprecation","body":{}},\#(violation)]"#, to: "/api/7/security")
        #expect(many.answer.status == 200 && many.identifiers == [1, 3])
        #expect(many.answer.outcomes.count(of: .discarded(.unsupportedItem)) == 1)
    }

    @Test("the header's id wins over the event's own, and a user's report stands beside its event")
    func identifiers() throws {
        let other = #"{"event_id":"00000000000000000000000000000002","message":"m"}"#
        let report = #"{"event_id":"\#(Self.id)","comments":"It broke when I clicked"}"#
        let sent = try answer(
            "\(Self.header)\n{\"type\":\"user_report\"}\n\(report)\n{\"type\":\"event\"}\n\(other)")
        let id = try #require(UInt128(Self.id, radix: 16))
        #expect(sent.text == #"{"id":"\#(Self.id)"}"#)
        #expect(sent.identifiers.count == 2 && sent.identifiers[1] == id && sent.identifiers[0] != id)
        #expect(sent.answer.outcomes.count(of: .accepted) == 2)
    }

    @Test("a transaction on the store route is counted, and answered 200 with an id")
    func storedTransaction() throws {
        let (answer, text, identifiers) = try answer(#"{"type":"transaction"}"#, to: "/api/7/store/")
        #expect(answer.status == 200 && identifiers.isEmpty)
        #expect(text == #"{"id":"00000000000000000000000000000001"}"#)
        #expect(answer.outcomes.count(of: .discarded(.unsupportedItem)) == 1)
    }

    @Test("what decodes to more than it may is 413, be it an event or an envelope, and takes no such memory")
    func sizes() throws {
        let zeros = [UInt8](repeating: 0x20, count: 1 << 20)
        for compression in [Compression.gzip, .brotli, .zstandardOfUnknownSize] {
            let name = compression.encoding.name
            let bomb = compression.compress(zeros, repetitions: 210)
            let (answer, text, _) = try answer(
                bomb, to: "/api/7/store/", configure: { $0.contentEncoding = bytes(name) })
            #expect(answer.status == 413)
            #expect(text == #"{"detail":"payload too large","causes":["payload_too_large"]}"#)
        }
    }

    @Test("an envelope may decode to 200 MiB, however little was sent", arguments: [Compression.gzip, .zstandard])
    func compressedEnvelopes(compression: Compression) throws {
        func status(ofMebibytes count: Int) throws -> Int {
            let item = Array("{}\n{\"type\":\"attachment\"}\n".utf8)
            let piece = item + [UInt8](repeating: 0x20, count: (1 << 20) - item.count)
            let body = compression.compress(piece, repetitions: count)
            return try answer(body, configure: { $0.contentEncoding = bytes(compression.encoding.name) }).answer.status
        }
        #expect(try status(ofMebibytes: 200) == 200)
        #expect(try status(ofMebibytes: 201) == 413)
    }
}
