import Testing

@testable import mesher

struct NamesTests {
    @Test(
        "a name becomes a slug of lower-case letters, digits and inner hyphens",
        arguments: [
            ("demo", "demo"), ("My Demo", "my-demo"), ("  a -- b!  ", "a-b"), ("Größe", "gr-e"),
            ("7 dwarfs", "7-dwarfs"),
            (String(repeating: "x", count: 80), String(repeating: "x", count: 63)),
            (String(repeating: "x", count: 62) + " y", String(repeating: "x", count: 62)),
        ])
    func slugs(name: String, slug: String) {
        #expect(Slug.make(from: name) == slug)
    }

    @Test("a name of which no slug is left, or a number, is none", arguments: ["", "--", "42", "日本", " 7 "])
    func noSlugs(name: String) {
        #expect(Slug.make(from: name) == nil)
    }

    @Test("a new key is 32 lower-case hex digits, and another one each time")
    func newKeys() {
        let keys = (0..<200).map { _ in APIKey.generate() }
        #expect(keys.allSatisfy { APIKey.normalized($0) == $0 && $0.utf8.count == 32 })
        #expect(Set(keys).count == keys.count)
    }

    @Test("a key is taken in any case, and only when it is 32 hex digits")
    func normalizesKeys() {
        #expect(APIKey.normalized("0123456789ABCDEF0123456789abcdef") == "0123456789abcdef0123456789abcdef")
        for text in [
            "", String(repeating: "a", count: 31), String(repeating: "g", count: 32), String(repeating: "é", count: 16),
        ] {
            #expect(APIKey.normalized(text) == nil)
        }
    }

    private static let key = "0123456789abcdef0123456789abcdef"

    @Test(
        "a DSN that is printed is read again as it was",
        arguments: [
            ("http://localhost", "http://\(Self.key)@localhost/7"),
            ("https://a.example:8443/", "https://\(Self.key)@a.example:8443/7"),
            ("HTTP://[::1]:80", "http://\(Self.key)@[::1]:80/7"),
            ("https://a.example/mesher", "https://\(Self.key)@a.example/mesher/7"),
        ])
    func dsnRoundTrip(publicURL: String, text: String) throws {
        let dsn = try DSN(publicURL: publicURL, key: Self.key, project: 7)
        #expect(dsn.description == text)
        #expect(DSN(text) == dsn)
    }

    @Test("events go to the path of the contract, below the DSN's place")
    func eventsURL() {
        #expect(DSN("http://\(Self.key)@h:1/7")?.eventsURL == "http://h:1/api/v1/events")
        #expect(DSN("https://\(Self.key):secret@h/p/7")?.eventsURL == "https://h/p/api/v1/events")
    }

    @Test(
        "what is no DSN is not read as one",
        arguments: [
            "", "http://", "ftp://\(Self.key)@h/7", "http://h/7", "http://\(Self.key)@/7", "http://\(Self.key)@h",
            "http://\(Self.key)@h/", "http://\(Self.key)@h/0", "http://\(Self.key)@h/-1", "http://\(Self.key)@h/x",
            "http://abc@h/7", "http://\(Self.key)@h h/7", "http://\(Self.key)@h/7?x",
            "http://\(Self.key)@h/99999999999999999999",
        ])
    func noDSNs(text: String) {
        #expect(DSN(text) == nil)
    }

    @Test(
        "a public URL that is no plain http or https URL is a fault of the configuration",
        arguments: ["", "localhost", "ftp://h", "http://", "http://user@h", "http://h?x=1", "http://h/#"])
    func publicURLs(url: String) {
        let error = #expect(throws: CommandError.self) { try DSN(publicURL: url, key: Self.key, project: 1) }
        #expect(error?.status == .configuration)
    }
}
