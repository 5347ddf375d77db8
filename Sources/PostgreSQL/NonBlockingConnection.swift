internal import CPostgreSQL

/// A connection to PostgreSQL for an event loop: no call waits for the server, except that libpq resolves a host's name
/// in `open` and `continueConnecting` by getaddrinfo(3), which may wait for DNS; a socket's path or an address does not.
///
/// The loop waits on `socket` for what `continueConnecting` or `flush` ask for, otherwise for reading. One command may
/// run at a time: it is over when `nextResult` returns `.idle`.
package struct NonBlockingConnection: ~Copyable {
    /// How far connecting has come.
    package enum Progress: Equatable, Sendable {
        case wantsRead, wantsWrite, connected
    }

    /// What came of a command.
    package enum Outcome: ~Copyable {
        /// Nothing yet: call `receive` when the socket is readable.
        case pending
        /// One statement of the command succeeded.
        case rows(Rows)
        /// One statement of the command failed.
        case failed(DatabaseError)
        /// The command is over, the next may be sent.
        case idle
    }

    /// A NOTIFY of another session.
    package struct Notification: Equatable, Sendable {
        package let channel: String
        package let payload: String
    }

    /// PostgreSQL's number of a type, `pg_type.oid`.
    package typealias TypeID = UInt32

    private let handle: ConnectionHandle
    private var operation = "connect"

    private init(_ handle: consuming ConnectionHandle) {
        self.handle = handle
    }

    /// Begins to connect; go on with `continueConnecting` as if it had said `.wantsWrite`. The caller must watch the
    /// timeout. The corresponding C function is `PQconnectStartParams`.
    ///
    /// - Parameter server: the one of the URL's servers to connect to. Without it libpq tries the next server only when
    ///   one refuses, and never when one is silent.
    package static func open(
        _ url: String, server: ConnectionURL.Server? = nil, applicationName: String
    ) throws(DatabaseError) -> NonBlockingConnection {
        let handle = try ConnectionHandle.open(
            url, server: server, applicationName: applicationName, with: PQconnectStartParams)
        if handle.isLost { throw handle.error("connect") }
        return NonBlockingConnection(handle)
    }

    /// The descriptor to wait on. While connecting it may change with each step, also to a new descriptor of the same
    /// number. The corresponding C function is `PQsocket`.
    package var socket: CInt { PQsocket(handle.pointer) }

    /// The number of the process that serves the session; 0 while there is none. The corresponding C function is
    /// `PQbackendPID`.
    package var backend: CInt { PQbackendPID(handle.pointer) }

    /// Takes the next step once the socket is ready. The corresponding C functions are `PQconnectPoll` and, at the end,
    /// `PQsetnonblocking`.
    package mutating func continueConnecting() throws(DatabaseError) -> Progress {
        switch PQconnectPoll(handle.pointer) {
        case PGRES_POLLING_READING: return .wantsRead
        case PGRES_POLLING_WRITING: return .wantsWrite
        case PGRES_POLLING_OK:
            guard PQsetnonblocking(handle.pointer, 1) == 0 else { throw handle.error("connect") }
            return .connected
        default: throw handle.error("connect")
        }
    }

    /// Sends statements without parameters. The corresponding C function is `PQsendQuery`.
    package mutating func send(_ sql: String) throws(DatabaseError) {
        operation = "execute"
        guard PQsendQuery(handle.pointer, sql) == 1 else { throw handle.error(operation) }
    }

    /// Prepares the unnamed statement, which lasts until the next `sendPrepare` or `send`. The corresponding C function
    /// is `PQsendPrepare`.
    package mutating func sendPrepare(_ sql: String, parameterTypes: [TypeID]) throws(DatabaseError) {
        operation = "prepare"
        let sent = parameterTypes.withUnsafeBufferPointer { types in
            PQsendPrepare(handle.pointer, "", sql, CInt(types.count), types.baseAddress)
        }
        guard sent == 1 else { throw handle.error(operation) }
    }

    /// Executes the prepared statement with parameters in binary format, which libpq copies. The corresponding C function
    /// is `PQsendQueryPrepared`.
    ///
    /// - Parameter parameters: each at most 2³¹ - 1 bytes, without a value for NULL.
    package mutating func sendExecute(
        _ parameters: UnsafeBufferPointer<UnsafeRawBufferPointer>
    ) throws(DatabaseError) {
        operation = "execute"
        let pointer = handle.pointer
        let sent = withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: parameters.count) { values in
            withUnsafeTemporaryAllocation(of: CInt.self, capacity: parameters.count * 2) { numbers in
                for (position, parameter) in parameters.enumerated() {
                    values.initializeElement(
                        at: position, to: parameter.baseAddress?.assumingMemoryBound(to: CChar.self))
                    numbers.initializeElement(at: position, to: CInt(clamping: parameter.count))
                    numbers.initializeElement(at: parameters.count + position, to: 1)
                }
                return PQsendQueryPrepared(
                    pointer, "", CInt(parameters.count), values.baseAddress, numbers.baseAddress,
                    numbers.baseAddress.map { $0 + parameters.count }, 0)
            }
        }
        guard sent == 1 else { throw handle.error(operation) }
    }

    /// Writes what the socket accepts; false means to wait until it is writable, and to keep reading meanwhile. The
    /// corresponding C function is `PQflush`.
    package mutating func flush() throws(DatabaseError) -> Bool {
        let left = PQflush(handle.pointer)
        guard left >= 0 else { throw handle.error(operation) }
        return left == 0
    }

    /// Reads what the socket has. The corresponding C function is `PQconsumeInput`.
    package mutating func receive() throws(DatabaseError) {
        guard PQconsumeInput(handle.pointer) == 1 else { throw lost() }
    }

    /// The next received result of the running command. The corresponding C functions are `PQisBusy` and `PQgetResult`.
    ///
    /// A commit that was cancelled while it waited for a synchronous standby counts as failed, though PostgreSQL says
    /// that it succeeded: it is not known whether it would outlive the server.
    package mutating func nextResult() -> Outcome {
        if PQisBusy(handle.pointer) != 0 { return .pending }
        guard let result = PQgetResult(handle.pointer) else {
            // The warning comes with the commit, which in the extended protocol is after the statement's result.
            if let error = handle.takeUnreplicated(operation) { return .failed(error) }
            return .idle
        }
        let rows = Rows(adopting: result)
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return .rows(rows)
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            return .failed(
                DatabaseError(operation: operation, message: "COPY is not supported", isConnectionLost: true))
        default: return .failed(handle.error(operation, result: result))
        }
    }

    /// The next NOTIFY that was received. The corresponding C function is `PQnotifies`.
    package mutating func nextNotification() -> Notification? {
        guard let notification = PQnotifies(handle.pointer) else { return nil }
        defer { PQfreemem(notification) }
        return Notification(
            channel: String(cString: notification.pointee.relname), payload: String(cString: notification.pointee.extra)
        )
    }

    private func lost() -> DatabaseError {
        let error = handle.error(operation)
        return DatabaseError(operation: error.operation, message: error.message, isConnectionLost: true)
    }
}
