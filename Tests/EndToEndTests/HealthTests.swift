import Testing

extension EndToEnd {
    struct HealthTests {
        private let stack: Stack

        init() throws {
            stack = try EndToEnd.stack()
        }

        @Test("It is healthy while a worker serves")
        func healthy() throws {
            #expect(try stack.request("GET", "/healthz").status == 200)
        }

        @Test("It is ready while it can accept durably, and nothing is degraded")
        func ready() throws {
            let response = try stack.request("GET", "/readyz")
            #expect(response.status == 200)
            #expect(response.text == #"{"ready":true,"degraded":[]}"#)
        }

        @Test("The stream is answered in JSON while nothing serves it", arguments: ["/api/v1/stream", "/ingest"])
        func streamAway(target: String) throws {
            let response = try stack.request("GET", target)
            #expect(response.status == 503)
            #expect(response.text == #"{"error":"temporarily unavailable","reason":"unavailable"}"#)
            #expect(response.header("Retry-After") == "1")
        }
    }
}
