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
    /// What the URL says goes over our defaults: 10 s to connect, a server that takes writes, and a dead peer noticed
    /// within half a minute by TCP, be it silent or not acknowledging. The application's name and the encoding go over
    /// the URL, and so does `server`, when it is given.
    static func open(
        _ url: String, server: ConnectionURL.Server? = nil, applicationName: String,
        with start: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>, CInt) -> OpaquePointer?
    ) throws(DatabaseError) -> ConnectionHandle {
        _ = try ConnectionURL(url)
        var parameters = [
            ("connect_timeout", "10"), ("target_session_attrs", "read-write"), ("tcp_user_timeout", "10000"),
            ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"), ("dbname", url),
        ]
        if let server {
            parameters += [("host", server.host), ("hostaddr", server.address), ("port", server.port)]
        }
        parameters += [("application_name", applicationName), ("client_encoding", "UTF8")]
        let pointer = CStringArray(parameters.map(\.0)).withPointers { keywords in
            CStringArray(parameters.map(\.1)).withPointers { values in
                start(keywords, values, 1)
            }
        }
        guard let pointer else { throw DatabaseError(operation: "connect", message: "out of memory") }
        let handle = ConnectionHandle(adopting: pointer)
        // libpq would write notices to standard error, past the journal.
        PQsetNoticeProcessor(pointer, { _, _ in }, nil)
        return handle
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
}
