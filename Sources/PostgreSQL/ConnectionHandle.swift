internal import CPostgreSQL

/// A `PGconn`, closed when it is lost. The corresponding C function is `PQfinish`.
struct ConnectionHandle: ~Copyable {
    let pointer: OpaquePointer

    private init(adopting pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQfinish(pointer)
    }

    var isLost: Bool { PQstatus(pointer) == CONNECTION_BAD }

    /// Begins a connection with `start`, which is `PQconnectdbParams` or `PQconnectStartParams`.
    ///
    /// What the URL says goes over our defaults (10 s to connect, TCP keep-alive that notices a dead peer in half a
    /// minute); the application's name and the encoding go over the URL.
    static func open(
        _ url: String, applicationName: String,
        with start: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>, CInt) -> OpaquePointer?
    ) throws(DatabaseError) -> ConnectionHandle {
        try check(url)
        let keywords = [
            "connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count", "dbname",
            "application_name", "client_encoding",
        ]
        let values = ["10", "10", "5", "3", url, applicationName, "UTF8"]
        let pointer = CStringArray(keywords).withPointers { keywords in
            CStringArray(values).withPointers { values in
                start(keywords, values, 1)
            }
        }
        guard let pointer else { throw DatabaseError(operation: "connect", message: "out of memory") }
        let handle = ConnectionHandle(adopting: pointer)
        // libpq would write notices to standard error, past the journal.
        PQsetNoticeProcessor(pointer, { _, _ in }, nil)
        return handle
    }

    /// Parses the URL by itself first: libpq's words about a faulty URL quote it with the password.
    private static func check(_ url: String) throws(DatabaseError) {
        guard !url.utf8.contains(0) else { throw DatabaseError(operation: "connect", message: "NUL in the URL") }
        if url.hasPrefix("postgresql:") || url.hasPrefix("postgres:") || url.contains("=") {
            var message: UnsafeMutablePointer<CChar>?
            if let options = PQconninfoParse(url, &message) {
                PQconninfoFree(options)
                return
            }
            let reason = message.map { withoutQuotations(String(cString: $0)) } ?? "out of memory"
            PQfreemem(message)
            throw DatabaseError(operation: "connect", message: reason)
        }
    }

    /// What failed on the connection itself, outside any statement.
    func error(_ operation: String) -> DatabaseError {
        DatabaseError(
            operation: operation, message: Self.oneLine(PQerrorMessage(pointer)), isConnectionLost: isLost)
    }

    /// Why a statement failed.
    func error(_ operation: String, result: OpaquePointer) -> DatabaseError {
        let sqlState = PQresultErrorField(result, Self.sqlStateField).map { String(cString: $0) }
        let primary = PQresultErrorField(result, Self.primaryMessageField)
        return DatabaseError(
            operation: operation, sqlState: sqlState, message: Self.oneLine(primary ?? PQresultErrorMessage(result)),
            isConnectionLost: isLost || Self.endsConnection(sqlState))
    }

    // PG_DIAG_SQLSTATE and PG_DIAG_MESSAGE_PRIMARY are character macros.
    private static let sqlStateField = CInt(UInt8(ascii: "C"))
    private static let primaryMessageField = CInt(UInt8(ascii: "M"))

    /// Class 08, and a server that shuts down, crashed or starts up.
    private static func endsConnection(_ sqlState: String?) -> Bool {
        guard let sqlState else { return false }
        return sqlState.hasPrefix("08") || ["57P01", "57P02", "57P03", "57P05"].contains(sqlState)
    }

    private static func oneLine(_ text: UnsafePointer<CChar>?) -> String {
        guard let text else { return "no reason given" }
        // What is indented explains the line above it to somebody at a terminal; a refused connection has no fields to
        // choose from, so that DETAIL and HINT are lines as well.
        let lines = String(cString: text).split(separator: "\n")
            .filter { line in !["\t", "DETAIL:", "HINT:"].contains { line.hasPrefix($0) } }
        let line = lines.joined(separator: "; ")
        return line.isEmpty ? "no reason given" : line
    }

    private static func withoutQuotations(_ text: String) -> String {
        let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
        let kept = parts.enumerated().map { $0.offset.isMultiple(of: 2) ? String($0.element) : "…" }
        return kept.joined(separator: "\"").filter { $0 != "\n" }
    }
}
