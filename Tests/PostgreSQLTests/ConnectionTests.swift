import PostgreSQL
import TestServers
import Testing

@Suite struct ConnectionTests {
    private func open(database: String = "postgres") throws -> Connection {
        try Connection.open(PostgreSQLServer.shared.get().url(database: database), applicationName: "ConnectionTests")
    }

    /// The error that a call ends with.
    private func failure(_ call: () throws -> Void) -> DatabaseError? {
        do { try call() } catch { return error as? DatabaseError }
        return nil
    }

    @Test("values and NULLs come back by row and column, with the columns' names")
    func query() throws {
        let rows = try open().query("SELECT $1::text AS a, $2::int + 1 AS b", ["grüß", nil])
        #expect(rows.count == 1)
        #expect(rows.columns == ["a", "b"])
        #expect(rows[row: 0, column: 0] == "grüß")
        #expect(rows[row: 0, column: 1] == nil)
    }

    @Test("a command tells how many rows it touched")
    func affectedRows() throws {
        let connection = try open()
        try connection.execute("CREATE TEMPORARY TABLE t (a int); INSERT INTO t SELECT generate_series(1, 5)")
        let rows = try connection.query("DELETE FROM t WHERE a > $1", ["2"])
        #expect(rows.affectedRows == 3 && rows.count == 0)
        #expect(try connection.query("SET DateStyle = 'ISO'").affectedRows == 0)
    }

    @Test("the session has the application's name and speaks UTF-8, whatever the URL says")
    func session() throws {
        let url = try PostgreSQLServer.shared.get().url() + "&client_encoding=LATIN1&application_name=other"
        let connection = try Connection.open(url, applicationName: "ours")
        #expect(try connection.query("SHOW application_name")[row: 0, column: 0] == "ours")
        #expect(try connection.query("SHOW client_encoding")[row: 0, column: 0] == "UTF8")
    }

    @Test("an error carries SQLSTATE and primary message, and not the row that DETAIL quotes")
    func refused() throws {
        let connection = try open()
        try connection.execute("CREATE TEMPORARY TABLE t (a text PRIMARY KEY); INSERT INTO t VALUES ('secret')")
        let error = try #require(failure { _ = try connection.query("INSERT INTO t VALUES ($1)", ["secret"]) })
        #expect(error.sqlState == "23505")
        #expect(error.description == "PostgreSQL: query: \(error.message) [23505]")
        #expect(!error.message.contains("secret"))
        #expect(!error.isConnectionLost)
        #expect(try connection.query("SELECT count(*) FROM t")[row: 0, column: 0] == "1", "the session goes on")
    }

    @Test(
        "a faulty URL is not quoted, since a password may be in it",
        arguments: [
            "postgresql://user:hunter2@host:port:1/x", "postgresql://user:hunter2@[::1/db",
            "password=hunter2 nonsense=1",
            "postgresql://u:hunter2%zz@h/d",
        ])
    func faultyURL(url: String) throws {
        let error = try #require(failure { _ = try Connection.open(url, applicationName: "tests") })
        #expect(error.operation == "connect")
        #expect(!error.message.contains("hunter2"), "\(error.message)")
    }

    @Test("a server that is not there is a lost connection, said on one line")
    func unreachable() throws {
        let error = try #require(
            failure { _ = try Connection.open("postgresql:///x?host=/nonexistent", applicationName: "tests") })
        #expect(error.isConnectionLost && error.sqlState == nil)
        #expect(error.message.contains("/nonexistent") && !error.message.contains("\n"))
    }

    @Test("a session that was ended is a lost connection")
    func ended() throws {
        let connection = try open()
        let error = try #require(failure { try connection.execute("SELECT pg_terminate_backend(pg_backend_pid())") })
        #expect(error.isConnectionLost)
        let next = try #require(failure { try connection.execute("SELECT 1") })
        #expect(next.isConnectionLost)
    }

    @Test("NUL in a statement or a parameter is refused instead of cutting it off")
    func nul() throws {
        let connection = try open()
        #expect(failure { try connection.execute("SELECT 1\u{0}; nonsense") }?.sqlState == "22021")
        #expect(failure { _ = try connection.query("SELECT $1", ["a\u{0}b"]) }?.sqlState == "22021")
    }

    @Test("COPY is refused")
    func copy() throws {
        let connection = try open()
        #expect(failure { try connection.execute("COPY (SELECT 1) TO STDOUT") }?.isConnectionLost == true)
    }
}
