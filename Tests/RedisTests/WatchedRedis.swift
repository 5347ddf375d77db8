import Foundation
import System
import TestServers

@testable import Redis

/// Two servers on two loopback addresses and one port, the second a replica of the first, which is the master, and three
/// Sentinels that watch them. Passwords are asked for everywhere.
final class WatchedRedis {
    static let addresses = ["127.0.0.1", "127.0.0.2"]
    let port: Int
    let sentinels: [ServerPlace]
    /// The CA that has signed the one certificate of all servers and Sentinels; nil when they have no TLS.
    let authority: CertificateAuthority?
    private let certificate: CertificateAuthority.Signed?
    private var servers: [SupervisedScript?] = [nil, nil]
    private var watchers: [SupervisedScript] = []

    typealias ServerPlace = (host: String, port: Int)

    /// - Parameter isEncrypted: whether everything speaks TLS alone, also to one another.
    init(isEncrypted: Bool = false) throws {
        authority = isEncrypted ? try CertificateAuthority() : nil
        certificate = try authority?.sign("server", for: Self.addresses.map { "IP:\($0)" })
        port = try Self.freePort()
        sentinels = [("127.0.0.1", port + 1), ("127.0.0.1", port + 2), ("127.0.0.1", port + 3)]
        try start(0)
        try start(1, replicaOf: 0)
        try eventually("the replica follows") { try command(0, "INFO", "replication").contains("state=online") }
        // Sentinels ping each second: with less than two seconds a busy machine looks like a master that is away.
        for place in sentinels {
            let configuration = """
                \(listening(on: place.port).joined(separator: "\n"))
                bind 127.0.0.1
                requirepass watch
                sentinel sentinel-pass watch
                sentinel monitor mesher 127.0.0.1 \(port) 2
                sentinel auth-pass mesher count
                sentinel down-after-milliseconds mesher 2000
                sentinel failover-timeout mesher 3000
                """
            let script = """
                cat >"$1/conf" <<'END'
                \(configuration)
                END
                cd "$1" && exec 3>&- ; redis-server "$1/conf" --sentinel </dev/null >"$1/log" 2>&1 &
                """
            watchers.append(try SupervisedScript(script, name: "sentinel"))
        }
        try eventually("the Sentinels know each other and the replica") {
            try sentinels.allSatisfy { place in
                let known = try ask(place, password: "watch", "SENTINEL", "MASTER", "mesher")
                return known.contains("num-other-sentinels\n2") && known.contains("num-slaves\n1")
            }
        }
    }

    /// Starts a server; without another to replicate it takes itself for a master, and knows nothing.
    func start(_ number: Int, replicaOf other: Int? = nil) throws {
        let (address, follows) = (
            Self.addresses[number], other.map { "--replicaof \(Self.addresses[$0]) \(port)" } ?? ""
        )
        let listening = listening(on: port).map { "--" + $0 }.joined(separator: " ")
        let script = """
            redis-server \(listening) --bind \(address) --requirepass count --masterauth count --save '' \
                --replica-announce-ip \(address) --repl-diskless-sync-delay 0 --dir "$1" \(follows) \
                </dev/null >"$1/log" 2>&1 &
            """
        servers[number] = try SupervisedScript(script, name: "redis", signal: "KILL")
        try eventually("Redis answers") { try command(number, "PING") == "PONG" }
    }

    /// The options of redis.conf by which a server or Sentinel listens, and connects to others.
    private func listening(on port: Int) -> [String] {
        guard let authority, let certificate else { return ["port \(port)"] }
        return [
            "port 0", "tls-port \(port)", "tls-replication yes", "tls-auth-clients no",
            "tls-ca-cert-file \(authority.certificate)", "tls-cert-file \(certificate.certificate)",
            "tls-key-file \(certificate.key)",
        ]
    }

    /// SIGKILL.
    func kill(_ number: Int) {
        servers[number]?.stop()
        servers[number] = nil
    }

    func endSentinel(_ number: Int) {
        watchers[number].stop()
    }

    @discardableResult
    func command(_ number: Int, _ words: String...) throws -> String {
        try ask((Self.addresses[number], port), password: "count", words)
    }

    private func ask(_ place: ServerPlace, password: String, _ words: String...) throws -> String {
        try ask(place, password: password, words)
    }

    private func ask(_ place: ServerPlace, password: String, _ words: [String]) throws -> String {
        try Self.ask(place, authority.map { ["--tls", "--cacert", $0.certificate] } ?? [], password: password, words)
    }

    private static func ask(
        _ place: ServerPlace, _ options: [String] = [], password: String, _ words: [String]
    ) throws -> String {
        let place = ["-h", place.host, "-p", "\(place.port)"]
        let arguments = options + place + ["--no-auth-warning", "-a", password] + words
        return try Execution.run("/usr/bin/redis-cli", arguments).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// One that nobody listens on, nor on the three after it.
    private static func freePort() throws -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: 10_000...19_000)
            let isFree = try (0...3).allSatisfy { try ask(("127.0.0.1", port + $0), password: "", ["PING"]).isEmpty }
            if isFree { return port }
        }
        throw Overdue(description: "no free port")
    }
}
