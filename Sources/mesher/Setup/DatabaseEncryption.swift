internal import PostgreSQL
internal import TLS

/// How PostgreSQL is spoken to over TLS, in libpq's words.
struct DatabaseEncryption: Equatable {
    /// `sslmode`; empty means libpq's own choice.
    private let mode: String
    /// Paths of files; empty for none.
    var authorities: String
    var certificate: String
    var key: String

    /// - Parameter url: who says whether TLS is asked for, and which CA is trusted. Its client certificate is its role's own.
    init(_ url: ConnectionURL?, authorities: String? = nil, certificate: String? = nil, key: String? = nil) {
        mode = url?["sslmode"] ?? ""
        self.authorities = authorities ?? url?.rootCertificate ?? ""
        self.certificate = certificate ?? ""
        self.key = key ?? ""
    }

    /// Whether the URL wants TLS.
    var isWanted: Bool { ["require", "verify-ca", "verify-full"].contains(mode) }

    /// Whether the server's certificate has to be verified.
    var isVerified: Bool { mode.hasPrefix("verify-") }

    /// The files that libpq reads.
    var files: TLSContext.Files {
        TLSContext.Files(authorities: authorities == "system" ? "" : authorities, certificate: certificate, key: key)
    }

    /// A URL with these parameters, where it does not have its own. Who names a CA gets the name verified too.
    func applied(to url: String) throws(DatabaseError) -> String {
        let parsed = try ConnectionURL(url)
        let chosen = authorities.isEmpty || mode == "verify-ca" ? mode : "verify-full"
        var added: [(String, String)] = []
        if !chosen.isEmpty, (parsed["sslmode"] ?? "") != chosen { added.append(("sslmode", chosen)) }
        for (name, value) in [("sslrootcert", authorities), ("sslcert", certificate), ("sslkey", key)]
        where !value.isEmpty && (parsed[name] ?? "").isEmpty { added.append((name, value)) }
        return added.reduce(url) { $0.withParameter($1.0, $1.1) }
    }
}

extension String {
    /// A connection URI, or `keyword=value` pairs, with one more parameter. libpq takes the last one of a name.
    func withParameter(_ name: String, _ value: String) -> String {
        guard contains("://") else {
            let quoted = value.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] }
            return "\(self) \(name)='\(String(quoted))'"
        }
        let digits = Array("0123456789ABCDEF")
        let escaped = value.utf8.map { byte -> String in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                String(UnicodeScalar(byte))
            default: "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return self + (contains("?") ? "&" : "?") + name + "=" + escaped.joined()
    }
}
