import Foundation
import TestServers
import Testing

/// What `mesher check` says of servers with TLS.
struct EncryptedServersTests {
    /// The finding about a subject, with the advice if it is a fault.
    private func finding(_ subject: String, _ environment: [String: String]) throws -> String {
        var service = try TestService(isMigrated: false)
        service.environment.merge(environment) { $1 }
        let run = try service.run("check", "--json")
        let findings = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
        let found = try #require(findings.first { $0["subject"] as? String == subject })
        let text = found["finding"] as? String ?? ""
        return found["ok"] as? Bool == true ? "ok: \(text)" : "\(text) -> \(found["advice"] as? String ?? "")"
    }

    private func redis(
        _ redis: LoopbackRedis, _ authority: CertificateAuthority, _ own: CertificateAuthority.Signed? = nil,
        tls: String = "on"
    ) throws -> String {
        try finding(
            "Redis",
            [
                "MESHER_REDIS_HOST": "localhost", "MESHER_REDIS_PORT": "\(redis.port)", "MESHER_REDIS_TLS": tls,
                "MESHER_REDIS_CA": authority.certificate, "MESHER_REDIS_CERTIFICATE": own?.certificate ?? "",
                "MESHER_REDIS_CERTIFICATE_KEY": own?.key ?? "",
            ])
    }

    @Test(
        "Redis: reached over TLS, wrong CA, expired, another's name, client certificate missing, no TLS on either side")
    func redis() throws {
        let authority = try CertificateAuthority()
        let stranger = try CertificateAuthority()
        let server = try LoopbackRedis(try authority.sign("server"), clients: authority)
        let client = try authority.sign("client")
        #expect(try redis(server, authority, client) == "ok: localhost:\(server.port) over TLS, runs scripts")
        let wrongCA = try redis(server, stranger, client)
        #expect(wrongCA.contains("not trusted") && wrongCA.contains("-> set MESHER_REDIS_CA"), "\(wrongCA)")
        let missing = try redis(server, authority)
        #expect(missing.contains("client certificate") && missing.contains("-> set MESHER_REDIS_CERTIFICATE and"))
        let refused = try redis(server, authority, try stranger.sign("client"))
        #expect(refused.contains("refused the client certificate") && refused.contains("-> renew"), "\(refused)")
        let unencrypted = try redis(server, authority, tls: "off")
        #expect(unencrypted.contains("speaks TLS on this port") && unencrypted.contains("MESHER_REDIS_TLS=on"))
        let old = try redis(try LoopbackRedis(try authority.sign("old", isExpired: true)), authority)
        #expect(old.contains("certificate has expired") && old.contains("-> renew the server's"), "\(old)")
        let other = try redis(try LoopbackRedis(try authority.sign("other", for: ["DNS:other.example"])), authority)
        #expect(other.contains("is not for localhost") && other.contains("-> set MESHER_REDIS_HOST"), "\(other)")
        let plain = try redis(try LoopbackRedis(), authority)
        #expect(plain.contains("speak TLS on this port") && plain.contains("tls-port"), "\(plain)")
        let noFile = try redis(server, authority, CertificateAuthority.Signed(certificate: "/none.pem", key: "/none"))
        #expect(noFile.contains("/none.pem: No such file") && noFile.contains("-> correct"), "\(noFile)")
    }

    @Test("PostgreSQL: verify-full, wrong CA, no CA, expired, another's name and a server without TLS")
    func postgreSQL() throws {
        func check(_ url: String) throws -> String { try finding("PostgreSQL", ["MESHER_DATABASE_URL": url]) }
        let authority = try CertificateAuthority()
        let server = try PostgreSQLServer(certificate: try authority.sign("server", owner: "postgres"))
        let trusting = server.url(trusting: authority.certificate)
        #expect(try check(trusting).hasPrefix("ok: version "))
        let stranger = try CertificateAuthority()
        let wrongCA = try check(server.url(trusting: stranger.certificate))
        #expect(wrongCA.contains("is not trusted: ") && wrongCA.contains("-> set sslrootcert"), "\(wrongCA)")
        let noCA = try check(server.url(trusting: "/none.pem"))
        #expect(noCA.contains("/none.pem") && noCA.contains("-> set sslrootcert"), "\(noCA)")
        _ = try authority.sign("server", for: ["DNS:other.example"], owner: "postgres")
        try server.reload()
        let other = try #require(try found { try check(trusting) })
        #expect(other.contains("does not match host name") && other.contains("-> name the server"), "\(other)")
        _ = try authority.sign("server", isExpired: true, owner: "postgres")
        try server.reload()
        let old = try #require(try found { try check(trusting).contains("expired") ? try check(trusting) : "ok" })
        #expect(old.contains("certificate has expired") && old.contains("-> renew the server's"), "\(old)")
    }

    /// The finding once the server has read its new certificate.
    private func found(_ check: () throws -> String) throws -> String? {
        var last: String?
        _ = try eventually {
            let text = try check()
            if !text.hasPrefix("ok") { last = text }
            return last != nil
        }
        return last
    }
}
