/// A connection to nginx that a client keeps between its requests. nginx closes those that are idle when it is reloaded,
/// perhaps while the next request is under way: like every HTTP client this one then sends that request once more on a
/// fresh connection, RFC 9112, section 9.3.1.
final class KeptConnection {
    /// Seconds for one answer; nginx gives up after 45.
    static let patience = 60

    private let port: Int
    private let key: String
    private let ledger: Ledger
    private var connection: HTTPConnection?
    /// Whether an answer has come on it.
    private var isReused = false
    private var request: (target: String, type: String, body: [UInt8]) = ("", "", [])

    init(to project: Project, _ ledger: Ledger) {
        port = project.stack.port
        key = project.key
        self.ledger = ledger
    }

    func send(_ body: String, to target: String, type: String = "application/json") throws {
        request = (target, type, Array(body.utf8))
        try send()
    }

    private func send() throws {
        let open = try connection ?? HTTPConnection(port: port, patience: Self.patience)
        connection = open
        let headers = [("Authorization", "Bearer \(key)"), ("Content-Type", request.type)]
        open.send("POST", request.target, headers, body: request.body)
    }

    /// The answer to what was sent.
    func receive() throws -> HTTPResponse {
        guard let open = connection else { throw HTTPConnection.Failure(description: "not connected") }
        do {
            let answer = try open.receive()
            isReused = answer.header("Connection")?.lowercased() != "close"
            if !isReused { connection = nil }
            return answer
        } catch {
            connection = nil
            guard isReused, open.isSpent else { throw error }
            isReused = false
            ledger.refused("idle connection closed")
            try send()
            return try receive()
        }
    }
}
