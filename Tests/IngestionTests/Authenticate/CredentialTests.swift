import Testing

@testable import Ingestion

struct CredentialTests {
    /// What a head says whose fields are these.
    private func credential(
        sentry: String? = nil, authorization: String? = nil, query: String? = nil
    ) -> (credential: Credential, isVersionTooNew: Bool, client: String?) {
        let buffers = [sentry, authorization, query].map { text in
            text.map { text in
                let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
                bytes.copyBytes(from: text.utf8)
                return bytes
            }
        }
        defer { for buffer in buffers { buffer?.deallocate() } }
        var head = RequestHead()
        head.sentryAuthorization = buffers[0].map { UnsafeRawBufferPointer($0) }
        head.authorization = buffers[1].map { UnsafeRawBufferPointer($0) }
        head.query = buffers[2].map { UnsafeRawBufferPointer($0) }
        let client = KeyExtraction.client(of: head).map { String(decoding: $0, as: UTF8.self) }
        return (KeyExtraction.credential(of: head), KeyExtraction.isVersionTooNew(head), client)
    }

    @Test(
        "a key is found in any order of the fields, and optional ones are ignored",
        arguments: [
            "Sentry sentry_key=%", "Sentry sentry_version=7, sentry_key=%, sentry_client=raven-python/6.0",
            "sentry sentry_timestamp=1,sentry_secret=secret,sentry_key=\"%\"", "Sentry   sentry_key=%,,",
            "SENTRY SENTRY_KEY=%", "Sentry sentry_client=a b, sentry_key=%", "%",
        ])
    func found(header: String) {
        let header = header.replacing("%", with: Edge.keyText)
        #expect(credential(sentry: header).credential == .key(Edge.key))
        #expect(credential(authorization: header).credential == .key(Edge.key))
    }

    @Test("one that is no key is told from none, and a later place may still have one")
    func malformed() {
        #expect(credential().credential == .absent)
        #expect(credential(authorization: "Basic dXNlcjpwYXNz").credential == .absent)
        #expect(credential(authorization: "Bearer other").credential == .absent)
        #expect(credential(sentry: "Sentry sentry_version=7").credential == .absent)
        #expect(credential(query: "a=b&sentry_version=7").credential == .absent)
        #expect(credential(sentry: "Sentry sentry_key=").credential == .malformed)
        #expect(credential(sentry: "Sentry sentry_key=xyz, sentry_version=7").credential == .malformed)
        #expect(credential(authorization: "Sentry sentry_key=\(Edge.keyText)0").credential == .malformed)
        #expect(credential(query: "sentry_key=12").credential == .malformed)
        #expect(
            credential(sentry: "Sentry sentry_key=xyz", query: "sentry_key=\(Edge.keyText)").credential
                == .key(Edge.key))
    }

    @Test("a protocol above 7 is too new, wherever it is named")
    func versions() {
        for version in ["7", "2.0", "", "x", "07", "6"] {
            #expect(!credential(sentry: "Sentry sentry_version=\(version)").isVersionTooNew, "\(version)")
        }
        for version in ["8", "8.0", "70", "99999999999999999999999"] {
            #expect(credential(sentry: "Sentry sentry_version=\(version)").isVersionTooNew, "\(version)")
            #expect(credential(authorization: "Sentry a=b, sentry_version=\(version)").isVersionTooNew, "\(version)")
            #expect(credential(query: "sentry_version=\(version)&sentry_key=1").isVersionTooNew, "\(version)")
        }
    }

    @Test("the sender's name is found beside the key, unless it could not stand in a column")
    func client() {
        let fields = "Sentry sentry_version=7, sentry_client=raven-perl/1.08, sentry_key=x"
        #expect(credential(sentry: fields).client == "raven-perl/1.08")
        #expect(credential(authorization: fields).client == "raven-perl/1.08")
        #expect(credential(sentry: "x", authorization: fields).client == "raven-perl/1.08")
        let long = String(repeating: "a", count: 201)
        for client in ["", "a\tb", "a\0", "\u{e9}", "a\u{7f}", long] {
            #expect(credential(sentry: "Sentry sentry_client=\(client)").client == nil)
        }
        #expect(credential(sentry: "Sentry sentry_client=\(long.dropFirst())").client?.count == 200)
    }

    @Test(
        "of a DSN key and project count, never host, path or secret",
        arguments: ["http://KEY@h/7", "https://KEY:SECRET@h:1/a/b/7", "x://KEY@/7", "//KEY@h/7"])
    func dsn(text: String) {
        let dsn = Array(text.replacing("KEY", with: Edge.keyText).utf8).withUnsafeBytes { DSN($0) }
        #expect(dsn?.key == Edge.key)
        #expect(dsn?.project == .number(7))
    }

    @Test(
        "what is no DSN has no key",
        arguments: ["", "/", "@", "http://h/7", "KEY@h/7", "http://KEY@h", "http://abc@h/7"])
    func notDSN(text: String) {
        #expect(Array(text.replacing("KEY", with: Edge.keyText).utf8).withUnsafeBytes { DSN($0) } == nil)
    }
}
