import Glibc
import PostgreSQL
import TestServers
import Testing

@Suite struct NonBlockingConnectionTests {
    /// Waits for a socket as an event loop would, 10 s at most.
    private func wait(_ number: CInt, _ events: CInt) throws {
        var waiting = pollfd(fd: number, events: Int16(events), revents: 0)
        try #require(uninterrupted { poll(&waiting, 1, 10_000) } == 1)
    }

    private func connected(
        _ url: String? = nil, server: ConnectionURL.Server? = nil
    ) throws -> NonBlockingConnection {
        let url = try url ?? PostgreSQLServer.shared.get().url()
        var connection = try NonBlockingConnection.open(
            url, server: server, applicationName: "NonBlockingConnectionTests")
        var events = POLLOUT
        while true {
            try wait(connection.socket, CInt(events))
            switch try connection.continueConnecting() {
            case .wantsRead: events = POLLIN
            case .wantsWrite: events = POLLOUT
            case .connected: return connection
            }
        }
    }

    /// Runs the command under way to its end: the first value of each result, or the code of each failure.
    private func results(_ connection: inout NonBlockingConnection) throws -> [String] {
        var results: [String] = []
        while true {
            switch connection.nextResult() {
            case .pending:
                let isFlushed = try connection.flush()
                try wait(connection.socket, CInt(isFlushed ? POLLIN : POLLIN | POLLOUT))
                try connection.receive()
            case .rows(let rows): results.append(rows.count > 0 ? rows[row: 0, column: 0] ?? "NULL" : "")
            case .failed(let error): results.append(error.sqlState ?? "lost")
            case .idle: return results
            }
        }
    }

    @Test("each server of a URL is reached, however the URL writes their list")
    func servers() throws {
        let servers = [try PostgreSQLServer.shared.get(), try PostgreSQLServer()]
        let folders = servers.map(\.folder)
        let list = folders.joined(separator: ",")
        let inAuthority = folders.map { $0.split(separator: "/").map { "%2F\($0)" }.joined() }
        let urls = [
            "postgresql://postgres@\(inAuthority.joined(separator: ","))/postgres",
            "postgresql://postgres@\(inAuthority[0]):5432,\(inAuthority[1])/postgres",
            "postgresql://postgres@\(inAuthority[0]),\(inAuthority[1]):5432/postgres",
            "postgresql:///postgres?host=\(list)&user=postgres",
            "postgresql:///postgres?host=\(list)&port=5432&user=postgres",
            "postgresql:///postgres?host=\(list)&port=5432,&user=postgres",
            "host=\(list) port=,5432 user=postgres dbname=postgres",
            "host=\(list) port=5432,5432 user=postgres dbname=postgres connect_timeout=7",
        ]
        for url in urls {
            for (server, folder) in zip(try ConnectionURL(url).servers, folders) {
                var connection = try connected(url, server: server)
                try connection.send("SHOW unix_socket_directories")
                #expect(try results(&connection) == [folder], "\(url)")
            }
        }
    }

    @Test("several statements give one result each")
    func statements() throws {
        var connection = try connected()
        try connection.send("SELECT 1; SELECT 'b'")
        #expect(try results(&connection) == ["1", "b"])
    }

    @Test("a failure ends the command and not the session")
    func failure() throws {
        var connection = try connected()
        try connection.send("SELECT 1/0; SELECT 2")
        #expect(try results(&connection) == ["22012"])
        try connection.send("SELECT 3")
        #expect(try results(&connection) == ["3"])
    }

    @Test("a prepared statement takes binary parameters and NULL")
    func prepared() throws {
        var connection = try connected()
        try connection.sendPrepare("SELECT $1 || coalesce($2, '!')", parameterTypes: [25, 25])
        #expect(try results(&connection) == [""])
        let text = Array("hi".utf8)
        try text.withUnsafeBytes { text in
            let parameters = [text, UnsafeRawBufferPointer(start: nil, count: 0)]
            try parameters.withUnsafeBufferPointer { try connection.sendExecute($0) }
        }
        #expect(try results(&connection) == ["hi!"])
    }

    @Test("a parameter larger than the socket's buffers is written in pieces")
    func large() throws {
        var connection = try connected()
        try connection.sendPrepare("SELECT length($1)", parameterTypes: [25])
        _ = try results(&connection)
        let text = [UInt8](repeating: UInt8(ascii: "x"), count: 16 << 20)
        try text.withUnsafeBytes { text in
            try [text].withUnsafeBufferPointer { try connection.sendExecute($0) }
        }
        #expect(try results(&connection) == ["\(16 << 20)"])
    }

    @Test("a notification of another session is heard")
    func notification() throws {
        var connection = try connected()
        try connection.send("LISTEN news")
        _ = try results(&connection)
        try Connection.open(PostgreSQLServer.shared.get().url(), applicationName: "tests").execute("NOTIFY news, 'x'")
        try wait(connection.socket, POLLIN)
        try connection.receive()
        let notification = connection.nextNotification()
        #expect(notification?.channel == "news" && notification?.payload == "x")
        #expect(connection.nextNotification() == nil)
    }

    @Test("a session that was ended shows as lost")
    func ended() throws {
        var connection = try connected()
        try connection.send("SELECT pg_terminate_backend(pg_backend_pid())")
        var isLost = false
        do { isLost = try results(&connection) == ["57P01"] } catch let error as DatabaseError {
            isLost = error.isConnectionLost
        }
        #expect(isLost)
    }

    @Test("a server that is not there fails in the end")
    func unreachable() throws {
        do {
            _ = try NonBlockingConnection.open("postgresql:///x?host=/nonexistent", applicationName: "tests")
            Issue.record("connected to nothing")
        } catch {
            #expect(error.isConnectionLost)
        }
    }
}
