import Edge
import Glibc
import Ingestion
import TestServers
import Testing

@Suite("The engine of worker and session")
struct EngineTests {
    /// Redis on a socket of its own.
    private struct OwnRedis {
        private let script: SupervisedScript
        var socket: String { script.folder + "/redis.sock" }

        init() throws {
            script = try SupervisedScript(
                "redis-server --port 0 --unixsocket \"$1\"/redis.sock --save '' --dir \"$1\" --logfile log </dev/null &",
                name: "redis", signal: "KILL")
            let socket = script.folder + "/redis.sock"
            guard eventually({ access(socket, F_OK) == 0 }) else { throw Overdue(description: "Redis never listened") }
        }
    }

    @Test(
        "An event is counted in Redis, stored, and answered when storage has it",
        arguments: [RedisUse.always, .whileNeeded])
    func carriesAnEvent(use: RedisUse) throws {
        let redis = try OwnRedis()
        var loop = try EngineLoop(use, redisSocket: redis.socket)
        loop.storage.acknowledges = false
        // On a busy machine Redis may be late.
        var token = 0
        repeat {
            token += 1
            if token > 1 { try loop.run("Redis's answer") { $0.engine.isRedisUp == true } }
            loop.send(token: token)
            try loop.run("the event at storage") { $0.storage.tickets.count == token }
        } while loop.storage.counted.last == false && token < 100
        #expect(loop.storage.counted.last == true && loop.answers.isEmpty && loop.engine.bytesHeld > 0)
        loop.storage.acknowledgeAll()
        try loop.run("the answers") { $0.answers.count == token }
        #expect(loop.answers.values.allSatisfy { $0.status == 202 })
        #expect(loop.answers[token]?.quota?.limit == 1_000 && loop.engine.bytesHeld == 0)
    }

    @Test("Without Redis an event goes on uncounted", arguments: [RedisUse.always, .whileNeeded])
    func goesOnWithoutRedis(use: RedisUse) throws {
        var loop = try EngineLoop(use, redisSocket: "/tmp/mesher-nowhere.sock")
        loop.send(token: 1)
        try loop.run("the answer") { !$0.answers.isEmpty }
        #expect(loop.answers[1]?.status == 202 && loop.storage.counted == [false])
        #expect(loop.engine.isRedisUp == false)
    }

    @Test("What is in flight when storage is lost is sent again, and only then the loss is logged")
    func losesStorage() throws {
        var loop = try EngineLoop(.whileNeeded, redisSocket: "/tmp/mesher-nowhere.sock")
        try loop.run("a connection") { $0.storage.connections == 1 }
        loop.storage.hangUp()
        try loop.run("another one") { $0.storage.connections == 2 }
        #expect(loop.said.messages.isEmpty)
        loop.storage.acknowledges = false
        loop.send(token: 1)
        try loop.run("the event at storage") { !$0.storage.tickets.isEmpty }
        loop.storage.hangUp()
        loop.storage.acknowledges = true
        try loop.run("the answer") { !$0.answers.isEmpty }
        #expect(loop.answers[1]?.status == 202)
        #expect(Set(loop.storage.tickets).count == 1 && loop.storage.tickets.count == 2)
        #expect(loop.said.messages == [#"warning: the connection to storage was lost ["in_hand": 1]"#])
    }

    @Test("A worker connects to Redis before its first event")
    func connectsAtOnce() throws {
        let redis = try OwnRedis()
        var loop = try EngineLoop(.always, redisSocket: redis.socket)
        try loop.run("Redis's answer") { $0.engine.isRedisUp == true }
    }

    @Test("A session connects for its first event, and of thousands each gives its connection back when it is idle")
    func givesBack() throws {
        let redis = try OwnRedis()
        var loop = try EngineLoop(.whileNeeded, redisSocket: redis.socket)
        try loop.run("a connection") { $0.storage.connections == 1 }
        #expect(loop.engine.isRedisUp == nil)
        for token in 1...2 {
            loop.send(token: token)
            try loop.run("the answer") { $0.answers[token] != nil }
            try loop.run("Redis's answer") { $0.engine.isRedisUp == true }
            try loop.run("the close", ahead: 1_000_000_000, sharers: 2_000) { $0.engine.isRedisUp == nil }
        }
        #expect(loop.answers.values.allSatisfy { $0.status == 202 })
    }
}
