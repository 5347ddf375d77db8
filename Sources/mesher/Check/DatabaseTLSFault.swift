internal import Glibc
internal import PostgreSQL
internal import TLS

/// What is wrong with TLS to PostgreSQL, and what to do about it. libpq says that it refuses a certificate, and not why.
struct DatabaseTLSFault {
    let text: String
    let advice: String

    /// Nil when a connection failed for another reason.
    init?(_ error: DatabaseError, url: String) {
        let message = error.message
        if message.contains("certificate verify failed") {
            let fault = Self.fault(url)
            text = fault.map { "\(error): \($0)" } ?? "\(error)"
            advice =
                switch fault {
                case .outOfDate?:
                    "renew the server's certificate (SELECT pg_reload_conf() reads it), and compare the clocks"
                default: "set sslrootcert in the URL to the certificate of the CA that has signed the server's"
                }
            return
        }
        text = "\(error)"
        if message.contains("does not match host name") {
            advice = "name the server in the URL as its certificate does, or sign one for this name"
        } else if message.contains("root certificate file") {
            advice =
                "set sslrootcert in the URL to the file with the certificate of the CA that has signed the server's"
        } else if message.contains("does not support SSL") {
            advice = "set ssl = on, ssl_cert_file and ssl_key_file in postgresql.conf"
        } else if message.contains("valid client certificate") {
            advice = "set sslcert and sslkey in the URL"
        } else {
            return nil
        }
    }

    /// Why a server's certificate is not taken, by a handshake of our own.
    private static func fault(_ url: String) -> TLSFault? {
        guard let parsed = try? ConnectionURL(url) else { return nil }
        let context = TLSContext(TLSContext.Files(authorities: authorities(parsed)))
        for server in parsed.servers where !server.host.hasPrefix("/") {
            let place = TLSProbe.Server(
                name: server.host, address: server.address, port: server.port.isEmpty ? "5432" : server.port)
            if let fault = TLSProbe.fault(of: place, context, after: .postgreSQL) { return fault }
        }
        return nil
    }

    /// The file that libpq reads, as its manual has it in "Client Verification of Server Certificates".
    private static func authorities(_ url: ConnectionURL) -> String {
        if let path = url.rootCertificate ?? getenv("PGSSLROOTCERT").map({ String(cString: $0) }), !path.isEmpty {
            return path == "system" ? "/etc/ssl/certs/ca-certificates.crt" : path
        }
        return (getenv("HOME").map { String(cString: $0) } ?? "") + "/.postgresql/root.crt"
    }
}
