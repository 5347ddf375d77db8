import StorageChannel
import Testing

@testable import Ingestion

/// What comes beside and around the event in an envelope, and how an event may be encoded.
struct EnvelopeContentTests {
    // MARK: Base64

    @Test(
        "a store request in base64 may be plain JSON or deflated, and compressed besides",
        arguments: [nil, Compression.gzip, .zlib, .brotli], [false, true])
    func base64(outer: Compression?, isDeflated: Bool) throws {
        let event = Array(#"{"message":"It broke"}"#.utf8)
        for lines in [false, true] {
            let text = Array(
                Base64Text.encode(isDeflated ? Compression.zlib.compress(event) : event, lines: lines).utf8)
            let end = try FieldRequest.post(
                outer?.compress(text) ?? text, to: "/api/7/store/", encoding: outer?.encoding.name)
            #expect(end.status == 200 && end.text(.message) == "It broke")
        }
    }

    // MARK: Attachments

    private static let crash = "{\"type\":\"event\"}\n{\"message\":\"crash\",\"level\":\"fatal\"}\n"

    @Test(
        "an attachment costs no event, however well it compresses, on either side of it",
        arguments: Compression.allCases, [false, true])
    func attachments(compression: Compression, isFirst: Bool) throws {
        let log = [UInt8](repeating: 0x61, count: 20 << 20)
        let attachment = Array("{\"type\":\"attachment\",\"length\":\(log.count)}\n".utf8) + log + [0x0a]
        let items = isFirst ? attachment + Array(Self.crash.utf8) : Array(Self.crash.utf8) + attachment
        let body = compression.compress(Array("{}\n".utf8) + items)
        #expect(body.count * 500 < log.count)
        let end = try FieldRequest.post(body, to: "/api/7/envelope/", encoding: compression.encoding.name)
        #expect(end.status == 200 && end.text(.message) == "crash")
    }

    @Test(
        "an attachment that comes to more than an envelope may costs no event before it",
        arguments: [Compression.gzip, .brotli, .zstandard])
    func tooLargeAttachments(compression: Compression) throws {
        let log = [UInt8](repeating: 0x61, count: 8 << 20)
        func post(_ items: String) throws -> FieldRequest.End {
            try FieldRequest.post(
                compression.compress(Array("{}\n\(items)".utf8) + log, repetitions: 26), to: "/api/7/envelope/",
                encoding: compression.encoding.name)
        }
        let end = try post(
            "\(Self.crash){\"type\":\"attachment\",\"length\":\(Limits.decodedEnvelopeBytes)}\n")
        #expect(end.status == 200 && end.text(.message) == "crash")
        // An event that is itself too large is refused.
        #expect(try post("{\"type\":\"event\"}\n").status == 413)
        #expect(try post("\(Self.crash){\"type\":\"user_report\"}\n").status == 413)
    }

    // MARK: Depth

    @Test(
        "an event may be nested as deep as it likes: what is below 512 levels is left out",
        arguments: ["[", "{", "both"])
    func depth(kind: String) throws {
        func nested(_ levels: Int, _ core: String) -> String {
            let isArray = { (level: Int) in kind == "[" || kind == "both" && level.isMultiple(of: 2) }
            let opening = (0..<levels).map { isArray($0) ? "[" : #"{"a":"# }.joined()
            let closing = (0..<levels).reversed().map { isArray($0) ? "]" : "}" }.joined()
            return opening + core + closing
        }
        func event(_ levels: Int, _ core: String) -> String { #"{"extra":\#(nested(levels, core)),"message":"m"}"# }
        for levels in [65, 126, 511] {
            let text = event(levels, "1")
            for (body, path) in [(text, "/api/7/store/"), ("{}\n{\"type\":\"event\"}\n\(text)", "/api/7/envelope/")]
                as [(String, StaticString)]
            {
                let end = try FieldRequest.post(body, to: path)
                #expect(end.status == 200 && end.text(.message) == "m" && end.text(.payload) == text)
            }
        }
        // Its own object is level 1, and `extra` below it: of 512 containers there the last is empty.
        for core in ["1", #""}\"]""#, "NaN", nested(5_000, "[1,{}]"), "[}"] {
            let end = try FieldRequest.post(event(512, core), to: "/api/7/store/")
            #expect(end.status == 200 && end.text(.message) == "m")
            let payload = try #require(end.text(.payload)).filter { $0 != " " }
            #expect(ReferenceJSON.levels(of: Array(payload.utf8)) == 513)
            #expect(payload.utf8.count < 512 * 7)
        }
        let report = #"{"csp-report":{"effective-directive":"img-src","a":\#(nested(200, "1"))}}"#
        #expect(try FieldRequest.post(report, to: "/api/7/security/").text(.payload) == report)
        let native = #"{"level":"info",\#(event(64, "1").dropFirst())"#
        #expect(try FieldRequest.post(native, to: "/api/v1/events").text.contains("nested deeper than 64 levels"))
    }
}
