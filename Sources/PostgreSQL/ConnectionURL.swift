internal import CPostgreSQL

/// What a connection URL says, as libpq reads it. The corresponding C function is `PQconninfoParse`.
package struct ConnectionURL: Sendable {
    /// One of the servers in a URL; libpq chooses what is empty.
    package struct Server: Equatable, Sendable, CustomStringConvertible {
        package let host: String
        package let address: String
        package let port: String

        package var description: String {
            let name = host.isEmpty ? address : host
            return port.isEmpty ? name : "\(name):\(port)"
        }

        fileprivate var names: [String] { host.isEmpty || address.isEmpty ? [host + address] : [host, address] }

        fileprivate var usedPort: String { port.isEmpty ? "5432" : port }
    }

    /// In the order in which they are tried; one empty server when the URL names none.
    package let servers: [Server]
    /// Connect timeout per server in seconds; nil when the URL has none, or 0, which means forever.
    package let connectTimeout: Int?
    /// Whether a read-only server will do. libpq's `target_session_attrs`, of which `read-write` is our default.
    package let acceptsReadOnly: Bool
    /// The database at each of its servers, without user and password, and in the end all servers and the database as the
    /// URL names them. URLs that have one of these in common mean the same database, for all that can be known without
    /// asking it.
    package let places: [String]
    /// The file of the CA certificates that are trusted; nil when the URL names none.
    package let rootCertificate: String?
    /// What the URL says of anything but its servers, by libpq's keyword.
    private let options: [String: String]

    /// - Parameter url: a connection URI, `keyword=value` pairs or a database's name. Throws when libpq does not
    ///   understand it, or would refuse its lists of servers, without quoting it: a password may be in it.
    package init(_ url: String) throws(DatabaseError) {
        guard !url.utf8.contains(0) else { throw DatabaseError(operation: "connect", message: "NUL in the URL") }
        var options: [String: String] = [:]
        if url.hasPrefix("postgresql:") || url.hasPrefix("postgres:") || url.contains("=") {
            options = try Self.parse(url)
        } else {
            options["dbname"] = url
        }
        let names = ["host", "hostaddr", "port"]
        let lists = names.map { options[$0, default: ""].split(separator: ",", omittingEmptySubsequences: false) }
        let count = options["hostaddr", default: ""].isEmpty ? lists[0].count : lists[1].count
        try Self.check(lists[0], options["host"], "host names", count)
        if lists[2].count > 1 { try Self.check(lists[2], options["port"], "port numbers", count) }
        servers = (0..<count).map { position in
            // One port may stand for all servers.
            let port = lists[2].count == 1 ? lists[2].first : Self.element(position, of: lists[2])
            return Server(
                host: String(Self.element(position, of: lists[0]) ?? ""),
                address: String(Self.element(position, of: lists[1]) ?? ""), port: String(port ?? ""))
        }
        connectTimeout = options["connect_timeout"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        let database = options["dbname", default: ""]
        places =
            servers.flatMap { server in server.names.map { "\($0)\n\(server.usedPort)\n\(database)" } }
            + [(names + ["dbname"]).map { options[$0, default: ""] }.joined(separator: "\n")]
        acceptsReadOnly = !["read-write", "primary"].contains(options["target_session_attrs", default: "read-write"])
        rootCertificate = options["sslrootcert"]
        for name in names { options[name] = nil }
        self.options = options
    }

    /// The password that stands in the URL; nil when none does.
    package var password: String? { options["password"] }

    /// What the URL says by one of libpq's keywords, but for servers.
    package subscript(keyword: String) -> String? { options[keyword] }

    /// libpq's keywords and values to connect to one of the servers. Its lists would have to be as long as that of the
    /// servers, and an empty value does not replace one that the URL names: so what is empty is left out.
    func parameters(for server: Server) -> [(String, String)] {
        let own = [("host", server.host), ("hostaddr", server.address), ("port", server.port)]
        return options.map { ($0.key, $0.value) } + own.filter { !$0.1.isEmpty }
    }

    /// As libpq does when it connects.
    private static func check(
        _ list: [Substring], _ value: String?, _ what: String, _ count: Int
    ) throws(DatabaseError) {
        guard value?.isEmpty == false, list.count != count else { return }
        throw DatabaseError(operation: "connect", message: "could not match \(list.count) \(what) to \(count) hosts")
    }

    private static func element(_ position: Int, of list: [Substring]) -> Substring? {
        list.indices.contains(position) ? list[position] : nil
    }

    private static func parse(_ url: String) throws(DatabaseError) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(url, &message) else {
            let reason = message.map { withoutQuotations(String(cString: $0)) } ?? "out of memory"
            PQfreemem(message)
            throw DatabaseError(operation: "connect", message: reason)
        }
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return values
    }

    private static func withoutQuotations(_ text: String) -> String {
        let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
        let kept = parts.enumerated().map { $0.offset.isMultiple(of: 2) ? String($0.element) : "…" }
        return kept.joined(separator: "\"").filter { $0 != "\n" }
    }
}
