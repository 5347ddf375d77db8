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

        @Test("The stream's path says in JSON what an upgrade lacks", arguments: ["/api/v1/stream", "/ingest"])
        func plainStream(target: String) throws {
            let response = try stack.request("GET", target)
            #expect(response.status == 400)
            #expect(
                response.text == #"{"error":"header required: Upgrade: websocket","reason":"malformed_request"}"#)
        }
    }
}
