import PostgreSQL
import Testing

@Suite struct ConnectionURLTests {
    private func servers(_ url: String) throws -> [String] {
        try ConnectionURL(url).servers.map { "\($0.host)|\($0.address)|\($0.port)" }
    }

    @Test("each server of a URL is found with its port, in both ways to write it")
    func servers() throws {
        #expect(try servers("postgresql://a:1,b,c:3/db") == ["a||1", "b||", "c||3"])
        #expect(try servers("host=a,b port=7 dbname=db") == ["a||7", "b||7"])
        #expect(try servers("hostaddr=127.0.0.1,::1 port=1,2") == ["|127.0.0.1|1", "|::1|2"])
        #expect(try servers("host=a,b hostaddr=127.0.0.1,127.0.0.2") == ["a|127.0.0.1|", "b|127.0.0.2|"])
        #expect(try servers("postgresql:///db?host=/run/a,/run/b") == ["/run/a||", "/run/b||"])
        #expect(try servers("postgresql://[::1]:5,b/db") == ["::1||5", "b||"])
        #expect(try servers("hostaddr=127.0.0.1,127.0.0.2 port=7") == ["|127.0.0.1|7", "|127.0.0.2|7"])
    }

    @Test(
        "lists of different lengths are refused as by libpq",
        arguments: [
            ("host=a,b,c port=1,2", "could not match 2 port numbers to 3 hosts"),
            ("host=a port=1,2", "could not match 2 port numbers to 1 hosts"),
            ("host=a,b hostaddr=127.0.0.1", "could not match 2 host names to 1 hosts"),
        ])
    func lists(url: String, message: String) {
        #expect { try ConnectionURL(url) } throws: { ($0 as? DatabaseError)?.message == message }
    }

    @Test("only a URL that asks for it is content with a server that takes no writes")
    func acceptsReadOnly() throws {
        for url in ["db", "postgresql://a/db", "target_session_attrs=read-write", "target_session_attrs=primary"] {
            #expect(try !ConnectionURL(url).acceptsReadOnly, "\(url)")
        }
        for attribute in ["any", "standby", "prefer-standby", "read-only"] {
            #expect(try ConnectionURL("target_session_attrs=\(attribute)").acceptsReadOnly, "\(attribute)")
        }
    }

    @Test(
        "a URL without a server, and a database's name, leave the server to libpq",
        arguments: ["postgresql:///db", "db"])
    func noServer(url: String) throws {
        #expect(try servers(url) == ["||"])
    }

    @Test("the time for connecting is what the URL says, and nothing when it says none or for ever")
    func connectTimeout() throws {
        #expect(try ConnectionURL("postgresql:///db?connect_timeout=7").connectTimeout == 7)
        for url in ["postgresql:///db", "connect_timeout=0", "connect_timeout=-3"] {
            #expect(try ConnectionURL(url).connectTimeout == nil)
        }
    }

    @Test("URLs with a server and the database in common have a place in common, whoever comes and by which password")
    func places() throws {
        let places = Set(try ConnectionURL("postgresql://user:secret@a:1,b/db").places)
        #expect(!places.contains { $0.contains("secret") })
        for url in [
            "host=a,b port=1, user=other dbname=db", "postgresql://c,b:5432/db", "postgresql://a:1/db",
            "host=b hostaddr=10.0.0.1 dbname=db", "host=d hostaddr=b dbname=db",
        ] {
            #expect(!places.isDisjoint(with: try ConnectionURL(url).places), "\(url)")
        }
        for url in ["postgresql://a:1,b/other", "postgresql://a:2,b:3/db", "postgresql://a/db", "db"] {
            #expect(places.isDisjoint(with: try ConnectionURL(url).places), "\(url)")
        }
        // Two databases that no server is named for.
        #expect(Set(try ConnectionURL("db").places).isDisjoint(with: try ConnectionURL("other").places))
    }
}
