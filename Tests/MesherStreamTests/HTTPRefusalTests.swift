import Testing
import WebSocket

@testable import mesher_stream

@Suite("Refused upgrades")
struct HTTPRefusalTests {
    private func text(_ refusal: HTTPRefusal) -> String { String(decoding: refusal.bytes, as: UTF8.self) }

    @Test("Have the status and the body that every refusal has")
    func body() {
        let text = text(.otherOrigin)
        #expect(text.hasPrefix("HTTP/1.1 403 Forbidden\r\n"))
        #expect(text.contains("\r\nAccess-Control-Allow-Origin: *\r\n"))
        #expect(text.hasSuffix("\r\n\r\n" + #"{"error":"the origin is not allowed","reason":"forbidden"}"#))
    }

    @Test("Say how to authenticate, or when to come back, and nothing of both otherwise")
    func fields() {
        #expect(text(.unauthorized).contains("\r\nWWW-Authenticate: Bearer\r\n"))
        for refusal in [HTTPRefusal.projectIsFull, .unavailable] {
            #expect(text(refusal).contains("\r\nRetry-After: 1\r\n"))
        }
        for refusal in [HTTPRefusal.notFound, .tooSlow, .otherOrigin] {
            #expect(!text(refusal).contains("Retry-After:") && !text(refusal).contains("WWW-Authenticate"))
        }
    }
}
