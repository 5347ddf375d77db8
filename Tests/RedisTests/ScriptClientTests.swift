import System
import Testing

@testable import Ingestion
@testable import Redis

@Suite("The limit's script, called in a real Redis", .serialized)
struct ScriptClientTests {
    /// A client that has connected.
    private func connected(_ redis: TemporaryRedis, user: String = "", password: String = "", database: Int = 0)
        throws -> Loop
    {
        let server = RedisServer(address: .unix(redis.socket), user: user, password: password, database: database)
        var loop = try Loop(server, script: LimitScript.source)
        try loop.run { $0.isReady }
        return loop
    }

    private func call(
        _ number: UInt64, wanted: Int, limit: Int = 1_000, window: Int = 60_000, project: Int = 1, of loop: inout Loop
    ) {
        let arguments = ScriptClient.Arguments(
            key: Array("mesher:limit:{\(project)}".utf8),
            values: [wanted, limit, window].map { Array(String($0).utf8) })
        loop.client.call(number, arguments, now: Clock.monotonic())
    }

    @Test(
        "Grants exactly as many as the limit says, whatever the sizes of the calls, and says how long the window lasts")
    func grantsExactly() throws {
        let redis = try TemporaryRedis()
        var loop = try connected(redis)
        for number in 0..<300 { call(UInt64(number), wanted: number % 20 + 1, of: &loop) }
        let all = try loop.results(300)
        #expect(all.values.compactMap { $0?[0] }.reduce(0, +) == 1_000)
        for integers in all.values {
            let integers = try #require(integers)
            #expect(integers[1] <= 1_000)
            #expect(integers[2] > 0 && integers[2] <= 60_000)
        }
        #expect(try redis.command("GET", "mesher:limit:{1}") == "1000")
    }

    @Test("A Redis that evicts says by which policy; one that forbids the question, or does not evict, says none")
    func eviction() throws {
        let redis = try TemporaryRedis(
            options: [
                "--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl", "--user", "brief", "on", ">word", "~*",
                "+@all", "-info",
            ])
        var loop = try Loop(
            RedisServer(address: .unix(redis.socket)), script: LimitScript.source, observes: true)
        try loop.run { $0.observation.evictionPolicy == "volatile-ttl" }
        call(1, wanted: 1, of: &loop)
        #expect(try loop.results(1)[1]??.first == 1)
        var other = try Loop(
            RedisServer(address: .unix(redis.socket), user: "brief", password: "word"), script: LimitScript.source,
            observes: true)
        try other.run { $0.isReady }
        call(2, wanted: 1, of: &other)
        #expect(try other.results(1)[2]??.first == 1)
        #expect(other.client.observation.evictionPolicy == nil && other.client.failure == nil)
    }

    @Test("A Redis says its time; one that forbids the question is used as well")
    func clock() throws {
        let redis = try TemporaryRedis(options: ["--user", "brief", "on", ">word", "~*", "+@all", "-time"])
        var loop = try Loop(RedisServer(address: .unix(redis.socket)), script: LimitScript.source, observes: true)
        // Both clocks are this machine's.
        try loop.run { $0.observation.clockDifference != nil }
        #expect(loop.client.observation.clockDifference == 0)
        var other = try Loop(
            RedisServer(address: .unix(redis.socket), user: "brief", password: "word"), script: LimitScript.source,
            observes: true)
        try other.run { $0.isReady }
        call(1, wanted: 1, of: &other)
        #expect(try other.results(1)[1]??.first == 1)
        #expect(other.client.observation.clockDifference == nil && other.client.failure == nil)
    }

    @Test("Two projects do not share a window")
    func keepsProjectsApart() throws {
        let redis = try TemporaryRedis()
        var loop = try connected(redis)
        call(1, wanted: 5, limit: 3, project: 1, of: &loop)
        call(2, wanted: 5, limit: 3, project: 2, of: &loop)
        let all = try loop.results(2)
        #expect(all.values.map { $0?[0] } == [3, 3])
    }

    @Test("After the window all is granted again")
    func opensNewWindow() throws {
        let redis = try TemporaryRedis()
        var loop = try connected(redis)
        call(1, wanted: 3, limit: 2, window: 150, of: &loop)
        #expect(try loop.results(1)[1]??.first == 2)
        try eventually("the window's end") { try redis.command("EXISTS", "mesher:limit:{1}") == "0" }
        call(2, wanted: 3, limit: 2, window: 150, of: &loop)
        #expect(try loop.results(1)[2]??.first == 2)
    }

    @Test("A refusal neither counts nor prolongs the window; a shorter window takes hold at once")
    func refusalCostsNothing() throws {
        let redis = try TemporaryRedis()
        var loop = try connected(redis)
        call(1, wanted: 2, limit: 2, of: &loop)
        call(2, wanted: 2, limit: 2, of: &loop)
        let all = try loop.results(2)
        #expect(all[2]??.first == 0)
        #expect(all[2]??[1] == 2)
        call(3, wanted: 1, limit: 2, window: 5_000, of: &loop)
        #expect(try #require(try loop.results(1)[3]??[2]) <= 5_000)
        #expect(try #require(Int(try redis.command("PTTL", "mesher:limit:{1}"))) <= 5_000)
    }

    @Test("A SCRIPT FLUSH in between is not noticed")
    func survivesScriptFlush() throws {
        let redis = try TemporaryRedis()
        var loop = try connected(redis)
        call(1, wanted: 1, of: &loop)
        _ = try loop.results(1)
        try redis.command("SCRIPT", "FLUSH")
        for number in 2...9 { call(UInt64(number), wanted: 1, of: &loop) }
        let all = try loop.results(8)
        #expect(all.values.compactMap { $0?[1] }.sorted() == [2, 3, 4, 5, 6, 7, 8, 9])
        let reason = loop.client.failure
        #expect(reason == nil)
    }

    @Test("AUTH with user and password, and SELECT, come first; wrong ones leave no result and a reason")
    func authenticates() throws {
        let rights = "--user limiter on >secret ~mesher:* +eval +evalsha +script +select +get +incrby +pexpire +pttl"
        let options = "\(rights) --user default off".split(separator: " ").map(String.init)
        let redis = try TemporaryRedis(options: options)
        var right = try connected(redis, user: "limiter", password: "secret", database: 3)
        call(1, wanted: 1, of: &right)
        #expect(try right.results(1)[1]??.first == 1)
        let server = RedisServer(address: .unix(redis.socket), user: "limiter", password: "guess")
        var wrong = try Loop(server, script: LimitScript.source)
        try wrong.run { $0.failure != nil }
        let failure = wrong.client.failure?.message
        #expect(failure?.hasPrefix("WRONGPASS") == true)
        call(1, wanted: 1, of: &wrong)
        #expect(try wrong.results(1) == [1: nil])
    }

    @Test("Without Redis a call has no result at once; when Redis is there it has one, without a restart")
    func comesBack() throws {
        let redis = try TemporaryRedis()
        var loop = try connected(redis)
        call(1, wanted: 1, of: &loop)
        #expect(try loop.results(1)[1]??.first == 1)
        redis.stop()
        call(2, wanted: 1, of: &loop)
        #expect(try loop.results(1) == [2: nil])
        let loss = loop.client.failure
        #expect(loss != nil)
        try redis.start()
        try loop.run { $0.isReady }
        call(3, wanted: 1, of: &loop)
        #expect(try loop.results(1)[3]??.first == 1)
        let reason = loop.client.failure
        #expect(reason == nil)
    }

    @Test("An answer that lies ready is taken, however late this process looks for it")
    func takesAnswersThatWaited() throws {
        let redis = try TemporaryRedis()
        var loop = try connected(redis)
        call(1, wanted: 1, of: &loop)
        let now = Clock.monotonic()
        loop.client.flush(now: now)
        try eventually("Redis counted") { try redis.command("GET", "mesher:limit:{1}") == "1" }
        // As if the turn had taken a second.
        _ = loop.client.tick(now: now + 1_000_000_000)
        let failure = loop.client.failure
        #expect(failure == nil)
        #expect(try loop.results(1)[1]??.first == 1)
    }

    @Test("A Redis that hangs is given up after 50 ms, and tried again")
    func givesUpOnAHang() throws {
        let redis = try TemporaryRedis()
        var loop = try connected(redis)
        call(1, wanted: 1, of: &loop)
        _ = try loop.results(1)
        redis.suspend()
        call(2, wanted: 1, of: &loop)
        #expect(try loop.results(1) == [2: nil])
        let failure = loop.client.failure?.message
        #expect(failure == "no answer within 50 ms")
        redis.resume()
        try loop.run { $0.isReady }
        call(3, wanted: 1, of: &loop)
        #expect(try loop.results(1)[3]??.first == 1)
    }

    /// Counts as before once `recover` has happened, and not until then, however often it connects.
    private func expectAway(
        _ loop: inout Loop, because reason: String, until recover: () throws -> Void
    ) throws {
        call(2, wanted: 1, of: &loop)
        #expect(try loop.results(1) == [2: nil])
        let opening = loop.client.socket?.opening ?? 0
        var wasReady = false
        var failures: Set<String> = []
        // On a busy machine it may also not answer in time.
        try loop.run { client in
            wasReady = wasReady || client.isReady
            if let failure = client.failure?.message { failures.insert(failure) }
            return failures.contains { $0.hasPrefix(reason) } && client.socket.map { $0.opening > opening + 2 } ?? false
        }
        #expect(!wasReady, "\(failures)")
        try recover()
        try loop.run { $0.isReady }
        call(3, wanted: 1, of: &loop)
        #expect(try loop.results(1)[3]??.first == 1)
    }

    @Test("A Redis that became a replica is away until it is a primary again")
    func readOnly() throws {
        let redis = try TemporaryRedis()
        var loop = try connected(redis)
        try redis.command("REPLICAOF", "127.0.0.1", "1")
        try expectAway(&loop, because: "READONLY") { try redis.command("REPLICAOF", "NO", "ONE") }
    }

    @Test("A Redis that has no memory left is away until it has")
    func outOfMemory() throws {
        let redis = try TemporaryRedis()
        var loop = try connected(redis)
        try redis.command("CONFIG", "SET", "maxmemory", "1")
        try expectAway(&loop, because: "OOM") { try redis.command("CONFIG", "SET", "maxmemory", "0") }
    }

    @Test("A Redis that loads its data is away until it has")
    func loading() throws {
        let slowly = ["--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024"]
        let redis = try TemporaryRedis(options: ["--enable-debug-command", "yes"] + slowly)
        try redis.command("DEBUG", "POPULATE", "8000")
        try redis.command("SAVE")
        var loop = try connected(redis)
        redis.stop()
        try redis.start()
        try expectAway(&loop, because: "LOADING") { try redis.command("CONFIG", "SET", "key-load-delay", "0") }
    }

    @Test("After a FLUSHALL a window begins anew")
    func flushed() throws {
        let redis = try TemporaryRedis()
        var loop = try connected(redis)
        call(1, wanted: 5, limit: 3, of: &loop)
        #expect(try loop.results(1)[1]??.first == 3)
        try redis.command("FLUSHALL")
        call(2, wanted: 5, limit: 3, of: &loop)
        #expect(try loop.results(1)[2]??.first == 3)
    }

    @Test("A project's key that holds something else is no failure of Redis for the others")
    func foreignValue() throws {
        let redis = try TemporaryRedis()
        var loop = try connected(redis)
        try redis.command("RPUSH", "mesher:limit:{1}", "x")
        try redis.command("SET", "mesher:limit:{2}", "x")
        for project in 1...3 { call(UInt64(project), wanted: 1, project: project, of: &loop) }
        let results = try loop.results(3)
        #expect(results[1] == .some(nil) && results[2] == .some(nil) && results[3]??.first == 1)
        let failure = loop.client.failure
        #expect(failure == nil)
    }
}
