import StorageChannel
import Testing

struct AllowedOriginsTests {
    private func allows(_ list: String, _ origin: String?) -> Bool {
        AllowedOrigins(list.utf8).allows(origin.map { Array($0.utf8) })
    }

    @Test("without a list any page may send, and with one still what is no browser")
    func none() {
        #expect(allows("", "https://any.example"))
        #expect(allows("", nil))
        #expect(allows("https://a.example", nil))
    }

    @Test("an origin must be in the list, in any case, with scheme and port")
    func exact() {
        let list = "https://a.example http://b.example:8080"
        #expect(allows(list, "https://a.example") && allows(list, "HTTPS://A.Example"))
        #expect(allows(list, "http://b.example:8080"))
        for other in [
            "http://a.example", "https://a.example:8443", "https://a.example.evil", "http://b.example", "null", "",
        ] {
            #expect(!allows(list, other), "\(other)")
        }
    }

    @Test("an asterisk stands for any names below a domain, and not for the domain itself")
    func below() {
        let list = "https://*.a.example"
        #expect(allows(list, "https://x.a.example") && allows(list, "https://x.y.a.example"))
        for other in ["https://a.example", "http://x.a.example", "https://xa.example", "https://x.a.example:1"] {
            #expect(!allows(list, other), "\(other)")
        }
    }
}
