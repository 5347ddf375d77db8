import System
import TLS
import TestServers
import Testing

@testable import Ingestion
@testable import Redis

extension LoopbackRedis {
    /// As `localhost`, or by another name of this machine.
    fileprivate func server(_ tls: TLSContext.Files?, host: String = "localhost") -> RedisServer {
        RedisServer(address: .tcp(host: host, port: port), tls: tls.map { TLSContext($0) })
    }
}

@Suite("Redis over TLS", .serialized)
struct TLSTests {
    /// Long, so that what is seen does not depend on how busy the machine is.
    private static let patience: Int64 = 5_000_000_000

    private func loop(_ server: RedisServer, patience: Int64 = Self.patience) throws -> Loop {
        try Loop(server, script: LimitScript.source, patience: patience)
    }

    /// Counts events of project 1 one by one; what Redis has counted in the end.
    private func count(_ calls: Int, of loop: inout Loop) throws -> Int64? {
        for number in 1...calls {
            let arguments = ScriptClient.Arguments(
                key: Array("mesher:limit:{1}".utf8), values: ["1", "1000000", "600000"].map { Array($0.utf8) })
            loop.client.call(UInt64(number), arguments, now: Clock.monotonic())
        }
        return try loop.results(calls).values.compactMap { $0?[1] }.max()
    }

    /// Why a client gets nowhere.
    private func failure(_ server: RedisServer, patience: Int64 = Self.patience) throws -> String {
        var loop = try loop(server, patience: patience)
        try loop.run { $0.failure != nil || $0.isReady }
        let failure = loop.client.failure
        return failure.map { "\($0)" } ?? "none"
    }

    @Test("Counts, in more calls than one record holds, by name and by address, with and without a client certificate")
    func counts() throws {
        let authority = try CertificateAuthority()
        let certificate = try authority.sign("server")
        for clients in [nil, authority] {
            let redis = try LoopbackRedis(certificate, clients: clients)
            let own = try clients?.sign("client")
            let files = TLSContext.Files(
                authorities: authority.certificate, certificate: own?.certificate ?? "", key: own?.key ?? "")
            for (host, sum) in [("localhost", 2_000), ("127.0.0.1", 4_000)] {
                var loop = try loop(redis.server(files, host: host))
                try loop.run { $0.isReady }
                #expect(try count(2_000, of: &loop) == Int64(sum))
            }
        }
    }

    @Test("Calls made before the handshake is over are counted after it")
    func waitsForTheHandshake() throws {
        let authority = try CertificateAuthority()
        let redis = try LoopbackRedis(try authority.sign("server"))
        var loop = try loop(redis.server(TLSContext.Files(authorities: authority.certificate)))
        _ = loop.client.tick(now: Clock.monotonic())
        #expect(try count(3, of: &loop) == 3)
    }

    @Test("A CA that is not trusted, another's certificate and one that has expired are told apart")
    func tellsCertificatesApart() throws {
        let authority = try CertificateAuthority()
        let stranger = try CertificateAuthority()
        let trusted = TLSContext.Files(authorities: authority.certificate)
        let wrong = TLSContext.Files(authorities: stranger.certificate)
        let redis = try LoopbackRedis(try authority.sign("server"))
        #expect(try failure(redis.server(wrong)).hasPrefix("TLS: the server's certificate is not trusted: "))
        let other = try LoopbackRedis(try authority.sign("other", for: ["DNS:other.example"]))
        #expect(try failure(other.server(trusted)) == "TLS: the server's certificate is not for localhost")
        #expect(
            try failure(other.server(trusted, host: "127.0.0.1"))
                == "TLS: the server's certificate is not for 127.0.0.1")
        let old = try LoopbackRedis(try authority.sign("old", isExpired: true))
        #expect(
            try failure(old.server(trusted))
                == "TLS: the server's certificate is out of date: certificate has expired")
    }

    @Test("A server that wants a client certificate says so, whether there is none or another CA's")
    func clientCertificates() throws {
        let authority = try CertificateAuthority()
        let redis = try LoopbackRedis(try authority.sign("server"), clients: authority)
        #expect(
            try failure(redis.server(TLSContext.Files(authorities: authority.certificate)))
                == "TLS: \(TLSFault.certificateMissing)")
        let stranger = try CertificateAuthority()
        let forged = try stranger.sign("client")
        let files = TLSContext.Files(
            authorities: authority.certificate, certificate: forged.certificate, key: forged.key)
        let refusal = try failure(redis.server(files))
        #expect(refusal.hasPrefix("TLS: the server refused the client certificate: "), "\(refusal)")
    }

    @Test("A server without TLS is given up in time, and so is a client without it")
    func mismatch() throws {
        let redis = try LoopbackRedis()
        let authority = try CertificateAuthority()
        let files = TLSContext.Files(authorities: authority.certificate)
        let silence = try failure(redis.server(files), patience: 300_000_000)
        // It answers when the first record happens to hold what it takes for the end of a line.
        #expect(["wait: no TLS handshake within 300 ms", "TLS: \(TLSFault.notTLS)"].contains(silence), "\(silence)")
        let encrypted = try LoopbackRedis(try authority.sign("server"))
        let plain = try failure(encrypted.server(nil))
        // The server closes the connection, mostly before its alert could be read.
        #expect(plain.hasPrefix("read: ") || plain.contains("speaks TLS on this port"), "\(plain)")
    }

    @Test("Files that cannot be used are named, with what is wrong with them")
    func namesFiles() throws {
        let authority = try CertificateAuthority()
        let own = try authority.sign("client")
        let other = try authority.sign("other")
        func fault(_ authorities: String, _ certificate: String = "", _ key: String = "") -> String? {
            let files = TLSContext.Files(authorities: authorities, certificate: certificate, key: key)
            return TLSContext(files).fault.map { "\($0)" }
        }
        let ca = authority.certificate
        #expect(fault(ca, own.certificate, own.key) == nil)
        #expect(fault("/nowhere/ca.pem") == "/nowhere/ca.pem: No such file or directory")
        #expect(fault(own.key) == "\(own.key): no CA certificate in PEM form")
        #expect(fault(ca, own.key, own.key) == "\(own.key): no certificate in PEM form")
        #expect(fault(ca, own.certificate, ca) == "\(ca): no private key in PEM form without a passphrase")
        #expect(fault(ca, own.certificate, other.key) == "\(other.key): not the key of the certificate")
        #expect(fault(ca, own.certificate) == "\(own.certificate): no file is set for its private key")
    }

    @Test("A connection that ends is made again, with the certificate that the server has by then")
    func comesBack() throws {
        let authority = try CertificateAuthority()
        let redis = try LoopbackRedis(try authority.sign("server"))
        var loop = try loop(redis.server(TLSContext.Files(authorities: authority.certificate)))
        try loop.run { $0.isReady }
        let opening = loop.client.socket?.opening ?? 0
        redis.stop()
        _ = try authority.sign("server")
        try loop.run { $0.failure != nil }
        try redis.start()
        try loop.run { $0.isReady && $0.socket?.opening ?? 0 > opening }
        #expect(try count(1, of: &loop) == 1)
    }
}
