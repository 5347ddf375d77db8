internal import CPostgreSQL

/// A blocking connection to PostgreSQL, for commands and tools. It is closed with its value.
package struct Connection: ~Copyable {
    private let handle: ConnectionHandle

    private init(_ handle: consuming ConnectionHandle) {
        self.handle = handle
    }

    /// Connects, and waits until that succeeds or fails: 10 s per address, unless the URL sets another timeout.
    ///
    /// - Parameter url: a connection URI or `keyword=value` pairs; libpq's environment and password file supply the
    ///   rest. The corresponding C function is `PQconnectdbParams`.
    package static func open(_ url: String, applicationName: String) throws(DatabaseError) -> Connection {
        let handle = try ConnectionHandle.open(url, applicationName: applicationName, with: PQconnectdbParams)
        if handle.isLost { throw handle.error("connect") }
        return Connection(handle)
    }

    /// Runs statements without parameters, several in one transaction if `;` separates them, and drops what they return.
    /// The corresponding C function is `PQexec`.
    package func execute(_ sql: String) throws(DatabaseError) {
        _ = try take(PQexec(handle.pointer, try checked(sql)), "execute")
    }

    /// Runs one statement with parameters `$1`… in text format; nil is NULL. The corresponding C function is
    /// `PQexecParams`.
    ///
    /// - Parameter types: of the parameters, `pg_type.oid`; PostgreSQL infers them when there are none.
    package func query(
        _ sql: String, _ parameters: [String?] = [], types: [UInt32] = []
    ) throws(DatabaseError) -> Rows {
        let sql = try checked(sql)
        for case let parameter? in parameters { _ = try checked(parameter) }
        guard types.isEmpty || types.count == parameters.count else {
            throw DatabaseError(operation: "query", message: "not one type for each parameter")
        }
        let result = CStringArray(parameters).withPointers { values in
            types.withUnsafeBufferPointer { types in
                PQexecParams(
                    handle.pointer, sql, CInt(parameters.count), types.isEmpty ? nil : types.baseAddress, values, nil,
                    nil, 0)
            }
        }
        return try take(result, "query")
    }

    /// What a server keeps of a role's password, so that the password itself is in no statement and no log. The corresponding C
    /// function is `PQencryptPasswordConn`.
    package func encrypted(_ password: String, for role: String) throws(DatabaseError) -> String {
        guard let text = PQencryptPasswordConn(handle.pointer, password, role, nil) else {
            throw handle.error("encrypt password")
        }
        defer { PQfreemem(text) }
        return String(cString: text)
    }

    private func take(_ result: OpaquePointer?, _ operation: String) throws(DatabaseError) -> Rows {
        guard let result else { throw handle.error(operation) }
        let rows = Rows(adopting: result)
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            if let error = handle.takeUnreplicated(operation) { throw error }
            return rows
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            throw DatabaseError(operation: operation, message: "COPY is not supported", isConnectionLost: true)
        default: throw handle.error(operation, result: result)
        }
    }

    /// For C the text would end at its first NUL.
    private func checked(_ text: String) throws(DatabaseError) -> String {
        guard !text.utf8.contains(0) else {
            throw DatabaseError(operation: "query", sqlState: "22021", message: "text contains NUL")
        }
        return text
    }
}
