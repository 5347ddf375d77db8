internal import Glibc
internal import PostgreSQL
internal import System

/// A superuser's connection to PostgreSQL: by a URL, or as the operating system's user `postgres`, whom Debian's PostgreSQL lets in
/// by its socket.
struct Superuser {
    let url: String?
    let user: String

    /// - Throws: `CommandError`, which says what else there is.
    func open() throws(CommandError) -> Connection {
        do throws(DatabaseError) {
            if let url { return try Connection.open(url, applicationName: "mesher setup") }
            return try asUser()
        } catch {
            var advice = ""
            if let url {
                // Why a certificate is not taken, which libpq does not say.
                if let fault = DatabaseTLSFault(error, url: url) {
                    throw CommandError(.unavailable, "PostgreSQL as superuser: \(fault.text); \(fault.advice)")
                }
            } else {
                advice = "; name a superuser's URL with --superuser-url, or PostgreSQL's user with --superuser"
            }
            throw CommandError(.unavailable, "PostgreSQL as superuser: \(error.message)\(advice)")
        }
    }

    /// PostgreSQL asks the kernel who connects, which tells it the effective user.
    private func asUser() throws(DatabaseError) -> Connection {
        guard let entry = getpwnam(user) else {
            throw DatabaseError(operation: "connect", message: "this host has no user \(user)")
        }
        let (own, other) = (geteuid(), entry.pointee.pw_uid)
        guard own == other || seteuid(other) == 0 else {
            throw DatabaseError(operation: "connect", message: "only root can become \(user)")
        }
        defer { seteuid(own) }
        return try Connection.open("postgresql:///postgres?user=\(user)", applicationName: "mesher setup")
    }

    /// What there is already.
    func survey() throws -> SetupFacts.Database {
        let connection = try open()
        let roles = try connection.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'mesher%'")
        let owners = try connection.query("SELECT datname, pg_get_userbyid(datdba) FROM pg_database")
        let member = try connection.query(
            """
            SELECT FROM pg_auth_members WHERE pg_get_userbyid(roleid) = $1 AND pg_get_userbyid(member) = $2
            """, [SetupStep.runtime, SetupStep.storage])
        let port = try connection.query("SHOW port")
        var databases: [String: String] = [:]
        for row in 0..<owners.count { databases[owners[row: row, column: 0] ?? ""] = owners[row: row, column: 1] }
        return SetupFacts.Database(
            roles: Set((0..<roles.count).compactMap { roles[row: $0, column: 0] }), databases: databases,
            isMember: member.count > 0, place: try Self.place(url, port: port[row: 0, column: 0] ?? ""))
    }

    /// Where the server is for those who do not come through its socket.
    static func place(_ url: String?, port: String) throws(DatabaseError) -> String {
        let servers = try url.map { url throws(DatabaseError) in try ConnectionURL(url).servers } ?? []
        let named = servers.filter { !$0.host.isEmpty && !$0.host.hasPrefix("/") }
        guard named.isEmpty else { return named.map(\.description).joined(separator: ",") }
        return port.isEmpty || port == "5432" ? "127.0.0.1" : "127.0.0.1:\(port)"
    }
}
