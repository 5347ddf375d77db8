import Foundation
import PostgreSQL
import TLS
import TestServers
import Testing

@testable import mesher

/// What `mesher setup` makes of TLS, and of the files for it.
struct SetupEncryptionTests {
    private func encryption(
        _ url: String?, ca: String? = nil, certificate: String? = nil, key: String? = nil
    ) throws -> DatabaseEncryption {
        DatabaseEncryption(try url.map { try ConnectionURL($0) }, authorities: ca, certificate: certificate, key: key)
    }

    @Test("A role's URL verifies the server as the superuser's does, and never has the superuser's certificate")
    func roles() throws {
        let superuser =
            "postgresql://boss@db/postgres?sslmode=verify-full&sslrootcert=/a%20b/ca.pem&sslcert=/boss.pem&sslkey=/boss.key"
        let role = "postgresql://mesher_owner:p@db/mesher"
        #expect(
            try encryption(superuser).applied(to: role)
                == role + "?sslmode=verify-full&sslrootcert=/a%20b/ca.pem")
        #expect(try encryption(superuser).applied(to: superuser) == superuser)
        #expect(
            try encryption(superuser, certificate: "/s.pem", key: "/s.key").applied(to: role)
                == role + "?sslmode=verify-full&sslrootcert=/a%20b/ca.pem&sslcert=/s.pem&sslkey=/s.key")
    }

    @Test("Who names a CA gets the server's name verified; who asks for nothing gets libpq's own choice")
    func modes() throws {
        let role = "postgresql://o:p@db/mesher"
        #expect(try encryption(nil).applied(to: role) == role)
        #expect(try encryption("postgresql://db/?sslmode=require").applied(to: role) == role + "?sslmode=require")
        for url in [nil, "postgresql://db/?sslmode=require", "postgresql://db/?sslmode=disable"] {
            #expect(
                try encryption(url, ca: "/ca.pem").applied(to: role) == role
                    + "?sslmode=verify-full&sslrootcert=/ca.pem")
        }
        #expect(
            try encryption("postgresql://db/?sslmode=verify-ca", ca: "/ca.pem").applied(to: role)
                == role + "?sslmode=verify-ca&sslrootcert=/ca.pem")
    }

    @Test("libpq reads what was added to an URI and to words")
    func read() throws {
        for url in ["postgresql://o@db/x", "postgresql://o@db/x?connect_timeout=3", "host=db dbname=x"] {
            let made = url.withParameter("password", "a'b\\c &=%ü/").withParameter("sslrootcert", "/c a.pem")
            let parsed = try ConnectionURL(made)
            #expect(parsed.password == "a'b\\c &=%ü/" && parsed.rootCertificate == "/c a.pem", "\(made)")
        }
    }

    @Test("TLS is asked about when the URL wants it")
    func wanted() throws {
        let modes = ["disable": false, "prefer": false, "require": true, "verify-ca": true, "verify-full": true]
        for (mode, isWanted) in modes {
            #expect(try encryption("postgresql://db/x?sslmode=\(mode)").isWanted == isWanted, "\(mode)")
        }
        #expect(try !encryption(nil).isWanted && !encryption("postgresql://db/x").isWanted)
    }

    @Test(
        "A URL of Redis",
        arguments: [
            ("redis://db", "MESHER_REDIS_HOST=db MESHER_REDIS_PORT=6379", ""),
            ("redis://:a%40b@db:7000/3", "MESHER_REDIS_HOST=db MESHER_REDIS_PORT=7000 MESHER_REDIS_DATABASE=3", "a@b"),
            (
                "rediss://edge:p:q@[::1]:7/",
                "MESHER_REDIS_HOST=::1 MESHER_REDIS_PORT=7 MESHER_REDIS_USER=edge MESHER_REDIS_TLS=on MESHER_REDIS_CA=/ca",
                "p:q"
            ),
        ])
    func redis(url: String, settings: String, password: String) throws {
        let redis = try #require(RedisURL(url))
        let lines = redis.settings(TLSContext.Files(authorities: "/ca")).map { "\($0.name)=\($0.value)" }
        #expect(lines.joined(separator: " ") == settings)
        #expect(redis.password == password)
    }

    @Test(
        "or it is refused",
        arguments: [
            "", "db", "http://db", "redis://", "redis://db:0", "redis://db:x", "redis://a@b@c", "redis://db/x",
            "redis://db/70000",
            "redis://%zz@db", "redis://a%0ab@db", "redis://[::1", "redis://d b",
        ])
    func noRedis(url: String) {
        #expect(RedisURL(url) == nil)
    }

    @Test("Files that the service cannot use are named before anything is done")
    func files() throws {
        let authority = try CertificateAuthority()
        let good = try authority.sign("good")
        let other = try authority.sign("other")
        let expired = try authority.sign("expired", isExpired: true)
        func words(_ files: TLSContext.Files) -> String {
            do throws(CommandError) {
                try ServiceFiles.check(files, readBy: nil)
                return ""
            } catch { return error.description }
        }
        let ca = authority.certificate
        #expect(words(.init(authorities: ca, certificate: good.certificate, key: good.key)) == "")
        #expect(
            words(.init(authorities: ca, certificate: good.certificate, key: other.key)).hasSuffix(
                "not the key of the certificate"))
        let late = words(.init(authorities: ca, certificate: expired.certificate, key: expired.key))
        #expect(late == "\(expired.certificate): certificate has expired")
        #expect(words(.init(authorities: expired.certificate)) == "\(expired.certificate): certificate has expired")
        #expect(words(.init(authorities: ca + "x")).hasSuffix("No such file or directory"))
        #expect(words(.init(authorities: good.key)).hasSuffix("no CA certificate in PEM form"))
        // Of several CAs one that has ended harms nobody.
        let both = authority.folder + "/both.pem"
        try (String(contentsOfFile: expired.certificate, encoding: .utf8) + String(contentsOfFile: ca, encoding: .utf8))
            .write(toFile: both, atomically: true, encoding: .utf8)
        #expect(words(.init(authorities: both)) == "")
    }

    @Test("A file that only root can read is none for the service", .enabled(if: geteuid() == 0, "needs root"))
    func readers() throws {
        let authority = try CertificateAuthority()
        let hidden = authority.folder + "/hidden.pem"
        try FileManager.default.copyItem(atPath: authority.certificate, toPath: hidden)
        chmod(hidden, 0o600)
        let error = #expect(throws: CommandError.self) {
            try ServiceFiles.check(.init(authorities: hidden), readBy: "nobody")
        }
        #expect(
            error?.description.hasPrefix("\(hidden): Permission denied for nobody") == true,
            "\(error?.description ?? "")")
        #expect(throws: Never.self) {
            try ServiceFiles.check(.init(authorities: authority.certificate), readBy: "nobody")
        }
        #expect(geteuid() == 0 && getegid() == 0)
        chmod(hidden, 0o644)
        #expect(throws: CommandError.self) { try ServiceFiles.checkDatabaseKey(hidden) }
        chmod(hidden, 0o640)
        #expect(throws: Never.self) { try ServiceFiles.checkDatabaseKey(hidden) }
    }
}
