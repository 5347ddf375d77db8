internal import CPostgreSQL

/// A `PGconn`, closed with its value. The corresponding C function is `PQfinish`.
struct ConnectionHandle: ~Copyable {
    let pointer: OpaquePointer
    /// Whether a commit gave up waiting for its synchronous standby; libpq's notice receiver sets it.
    private let isUnreplicated: UnsafeMutablePointer<Bool>

    private init(adopting pointer: OpaquePointer) {
        self.pointer = pointer
        isUnreplicated = .allocate(capacity: 1)
        isUnreplicated.initialize(to: false)
        PQsetNoticeReceiver(pointer, Self.receive, isUnreplicated)
    }

    deinit {
        PQfinish(pointer)
        isUnreplicated.deallocate()
    }

    var isLost: Bool { PQstatus(pointer) == CONNECTION_BAD }

    /// Begins a connection with `start`, which is `PQconnectdbParams` or `PQconnectStartParams`.
    ///
    /// The URL overrides our defaults: 10 s to connect, a server that accepts writes, and TCP settings by which a dead
    /// peer is noticed within half a minute. The application's name, the encoding and `server`, if given, override the
    /// URL.
    static func open(
        _ url: String, server: ConnectionURL.Server? = nil, applicationName: String,
        with start: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>, CInt) -> OpaquePointer?
    ) throws(DatabaseError) -> ConnectionHandle {
        let parsed = try ConnectionURL(url)
        var parameters = [
            ("connect_timeout", "10"), ("target_session_attrs", "read-write"), ("tcp_user_timeout", "10000"),
            ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
        ]
        parameters += server.map { parsed.parameters(for: $0) } ?? [("dbname", url)]
        parameters += [("application_name", applicationName), ("client_encoding", "UTF8")]
        let pointer = CStringArray(parameters.map(\.0)).withPointers { keywords in
            CStringArray(parameters.map(\.1)).withPointers { values in
                // A URL is passed as the database's name.
                start(keywords, values, server == nil ? 1 : 0)
            }
        }
        guard let pointer else { throw DatabaseError(operation: "connect", message: "out of memory") }
        return ConnectionHandle(adopting: pointer)
    }

    /// Catches every notice, which libpq would write to standard error instead of the journal. The corresponding C type
    /// is `PQnoticeReceiver`.
    ///
    /// A commit that is cancelled while it waits for a synchronous standby still succeeds, with a warning that the
    /// standby may not have it. The warning has a generic SQLSTATE and a localised text, so it is recognised by its
    /// place in PostgreSQL's source, `SyncRepWaitForLSN` in syncrep.c.
    private static let receive: PQnoticeReceiver = { isUnreplicated, notice in
        guard let file = PQresultErrorField(notice, sourceFileField), String(cString: file).hasSuffix("syncrep.c")
        else { return }
        isUnreplicated?.storeBytes(of: true, as: Bool.self)
    }

    /// The hidden failure of a finished command: its commit may not be on the standby it waited for. Returned once.
    func takeUnreplicated(_ operation: String) -> DatabaseError? {
        guard isUnreplicated.pointee else { return nil }
        isUnreplicated.pointee = false
        let message = "the wait for a synchronous standby was cancelled"
        return DatabaseError(operation: operation, sqlState: "01000", message: message)
    }

    /// An error of the connection itself, outside any statement.
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

    // PG_DIAG_SQLSTATE, PG_DIAG_MESSAGE_PRIMARY and PG_DIAG_SOURCE_FILE are character macros.
    private static let sqlStateField = CInt(UInt8(ascii: "C"))
    private static let primaryMessageField = CInt(UInt8(ascii: "M"))
    private static let sourceFileField = CInt(UInt8(ascii: "F"))

    /// Class 08, and a server that shuts down, crashed or starts up.
    private static func endsConnection(_ sqlState: String?) -> Bool {
        guard let sqlState else { return false }
        return sqlState.hasPrefix("08") || ["57P01", "57P02", "57P03", "57P05"].contains(sqlState)
    }

    private static func oneLine(_ text: UnsafePointer<CChar>?) -> String {
        guard let text else { return "no reason given" }
        // Indented lines explain the line above to somebody at a terminal. A refused connection has no fields to choose
        // from, so DETAIL and HINT are lines as well.
        let lines = String(cString: text).split(separator: "\n")
            .filter { line in !["\t", "DETAIL:", "HINT:"].contains { line.hasPrefix($0) } }
        let line = lines.joined(separator: "; ")
        return line.isEmpty ? "no reason given" : line
    }
}
