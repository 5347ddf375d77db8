import Testing

@testable import mesher

struct OriginTests {
    @Test(
        "an origin is a scheme and a host, perhaps with a port, or all below a domain",
        arguments: ["https://shop.example", "http://localhost:3000", "https://*.shop.example", "capacitor://localhost"])
    func origins(text: String) {
        #expect(Origin(argument: text) == .page(text))
        #expect(Origin(argument: text.uppercased()) == .page(text))
    }

    @Test(
        "what is no origin is refused",
        arguments: [
            "", "*", "shop.example", "https://", "https://*.", "https://a/b", "https://a b", "https://a\"", "1://a",
        ])
    func others(text: String) {
        #expect(Origin(argument: text) == nil)
    }

    @Test("none stands for any origin")
    func none() {
        #expect(Origin(argument: "none") == Origin.none)
        #expect(Origin.array([.none]) == nil)
        #expect(Origin.array([.page("https://a"), .page("https://b")]) == #"{"https://a","https://b"}"#)
    }
}
