import Configuration
import System
import TLS
import TestServers
import Testing

@testable import Ingestion
@testable import Redis

@Suite("Redis behind Sentinels", .serialized)
struct SentinelTests {
    /// Long, so that what is seen does not depend on how busy the machine is.
    private static let patience: Int64 = 5_000_000_000

    private func server(_ redis: WatchedRedis, port: Int? = nil, master: String = "mesher", password: String = "watch")
        -> RedisServer
    {
        let places = redis.sentinels.map { ServerAddress(host: $0.host, port: $0.port) }
        return RedisServer(
            address: .tcp(host: "", port: redis.port),
            sentinels: Sentinels(servers: places, master: master, port: port ?? redis.port, password: password),
            password: "count", tls: redis.authority.map { TLSContext(TLSContext.Files(authorities: $0.certificate)) })
    }

    /// Counts one event of project 1; what Redis has granted, and counted in all.
    private func count(_ number: UInt64, of loop: inout Loop) throws -> (granted: Int64, counted: Int64)? {
        let arguments = ScriptClient.Arguments(
            key: Array("mesher:limit:{1}".utf8), values: ["1", "1000", "600000"].map { Array($0.utf8) })
        _ = loop.client.tick(now: Clock.monotonic())
        loop.client.call(number, arguments, now: Clock.monotonic())
        return try loop.results(1)[number]?.map { ($0[0], $0[1]) }
    }

    @Test("The first call is counted by the master that a Sentinel names, also when two of three are away")
    func findsMaster() throws {
        let redis = try WatchedRedis()
        var first = try Loop(server(redis), script: LimitScript.source, patience: Self.patience)
        #expect(try count(1, of: &first)?.counted == 1)
        for away in [0, 1] {
            redis.endSentinel(away)
            // Each begins with a Sentinel at random.
            for round in 0..<4 {
                var loop = try Loop(server(redis), script: LimitScript.source, patience: Self.patience)
                #expect(try count(1, of: &loop)?.counted == Int64(2 + 4 * away + round))
            }
        }
    }

    @Test("After a failover counts go on at the new master, and none goes to the old one, which starts again from zero")
    func failsOver() throws {
        let redis = try WatchedRedis()
        var loop = try Loop(server(redis), script: LimitScript.source, patience: Self.patience)
        try loop.run { $0.isReady }
        for number in 1...10 { #expect(try count(UInt64(number), of: &loop)?.granted == 1) }
        try eventually("the replica has it") { try redis.command(1, "GET", "mesher:limit:{1}") == "10" }
        redis.kill(0)
        #expect(try count(11, of: &loop) == nil)
        try loop.run { $0.isReady }
        #expect(try count(12, of: &loop)?.counted == 11)
        // It takes itself for the master, with nothing counted, for some eight seconds, until a Sentinel tells it otherwise.
        try redis.start(0)
        // Control: whoever knows the address alone is granted all of it once more.
        let address = RedisServer.Address.tcp(host: WatchedRedis.addresses[0], port: redis.port)
        var other = try Loop(
            RedisServer(address: address, password: "count"), script: LimitScript.source, patience: Self.patience)
        #expect(try count(1, of: &other)?.counted == 1)
        // As processes that start now, or have lost their connection; each begins with a Sentinel at random.
        for number in 12...21 {
            var next = try Loop(server(redis), script: LimitScript.source, patience: Self.patience)
            #expect(try count(UInt64(number), of: &next)?.counted == Int64(number))
        }
        #expect(try count(22, of: &loop)?.counted == 22)
    }

    @Test("Over TLS the Sentinels are asked and the master they name counts, before and after a failover")
    func encrypted() throws {
        let redis = try WatchedRedis(isEncrypted: true)
        var loop = try Loop(server(redis), script: LimitScript.source, patience: Self.patience)
        #expect(try count(1, of: &loop)?.counted == 1)
        try eventually("the replica has it") { try redis.command(1, "GET", "mesher:limit:{1}") == "1" }
        redis.kill(0)
        #expect(try count(2, of: &loop) == nil)
        try loop.run { $0.isReady }
        #expect(try count(3, of: &loop)?.counted == 2)
        // Whoever trusts nobody does not get past the Sentinels.
        var stranger = server(redis)
        stranger.tls = TLSContext(TLSContext.Files(authorities: ""))
        var other = try Loop(stranger, script: LimitScript.source, patience: Self.patience)
        #expect(try count(1, of: &other) == nil)
        let failure = other.client.failure.map { "\($0)" } ?? "none"
        #expect(failure.contains("certificate is not trusted") && failure.hasPrefix("Sentinel: "), "\(failure)")
    }

    @Test("No master of that name, a wrong password and a port that is closed to Mesher are told apart")
    func tellsWhy() throws {
        let redis = try WatchedRedis()
        for (server, reason) in [
            (server(redis, master: "other"), "knows no master other"), (server(redis, password: "guess"), "WRONGPASS"),
            (server(redis, port: 1), "names 127.0.0.1:\(redis.port) as master, where MESHER_REDIS_PORT is 1"),
        ] {
            var loop = try Loop(server, script: LimitScript.source, patience: Self.patience)
            #expect(try count(1, of: &loop) == nil)
            let failure = loop.client.failure.map { "\($0)" } ?? "none"
            #expect(failure.contains(reason) && failure.hasPrefix("Sentinel: 127.0.0.1:"), "\(failure)")
        }
    }
}
