/// An error of PostgreSQL or of the connection to it: what was tried, the server's code, its message.
package struct DatabaseError: Error, Equatable, CustomStringConvertible {
    /// What was tried: `connect`, `execute`, `query`, `prepare`, `insert`.
    package let operation: String
    /// The five characters of PostgreSQL's appendix A; nil when the server did not answer.
    package let sqlState: String?
    /// The primary message alone: DETAIL, HINT and CONTEXT can quote what users sent.
    package let message: String
    /// The connection is unusable, and the fate of a running statement is unknown.
    package let isConnectionLost: Bool

    package init(operation: String, sqlState: String? = nil, message: String, isConnectionLost: Bool = false) {
        self.operation = operation
        self.sqlState = sqlState
        self.message = message
        self.isConnectionLost = isConnectionLost
    }

    package var description: String {
        let code = sqlState.map { " [\($0)]" } ?? ""
        return "PostgreSQL: \(operation): \(message)\(code)"
    }
}
