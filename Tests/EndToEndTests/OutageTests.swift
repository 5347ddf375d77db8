import Foundation
import TestServers
import Testing

extension OwnStack {
    /// With a stack of its own each, whose servers go away.
    struct OutageTests {
        private let event = #"{"message":"m","level":"info"}"#
        private static let threeHosts = ["MESHER_HOSTS=3", "MESHER_WORKERS=3"]

        @Test("All restarted while PostgreSQL is away: keys are known or refused as before, and others get 503")
        func restartWithoutPostgreSQL() throws {
            let stack = try Stack()
            defer { stack.stop() }
            let outage = Outage(stack: stack)
            let project = try Project.create(on: stack)
            let output = try stack.mesher("key", "create", project.slug, "--json")
            let made = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
            let revoked = try #require(made?["key"] as? String)
            try stack.mesher("key", "revoke", revoked, "--yes")
            let stranger = String(repeating: "0", count: 32)
            #expect(try stack.post(event, key: stranger).status == 401)

            try outage.stopPostgreSQL()
            #expect(try eventually { try stack.post(event, key: stranger).status == 503 }, "it may be known by now")
            var running = try outage.restartMesher()
            #expect(try eventually { try stack.request("GET", "/healthz").status == 200 })
            // Durable on this host's disk.
            #expect(try project.post(event).status == 202)
            let refused = try stack.post(event, key: revoked)
            #expect(refused.status == 401 && refused.text == #"{"error":"unauthorized","reason":"unauthorized"}"#)
            let unknown = try stack.post(event, key: stranger)
            #expect(unknown.status == 503 && unknown.reason == "unavailable")
            #expect(unknown.header("Retry-After") == "1")
            let readiness = try stack.request("GET", "/readyz")
            #expect(readiness.text.contains(#""degraded":["postgresql""#), "\(readiness.text)")

            // What is known is known from disk: without it all this is not so.
            running = try outage.restartMesher { unlink(stack["MESHER_STATE_DIR"] + "/keys") }
            #expect(try eventually { try stack.request("GET", "/healthz").status == 200 })
            for key in [project.key, revoked] { #expect(try stack.post(event, key: key).reason == "unavailable") }

            try outage.startPostgreSQL()
            #expect(try eventually { try project.post(event).status == 202 })
            #expect(try eventually { try stack.post(event, key: stranger).status == 401 })
            #expect(try eventually { try stack.request("GET", "/readyz").text == #"{"ready":true,"degraded":[]}"# })
            #expect(running.output.isEmpty)
        }

        /// Redis hangs, and storage dies when it has granted 15 of the 20 events that are this host's share.
        ///
        /// - Parameters:
        ///   - stack: of three hosts.
        ///   - isForgotten: whether storage's file of what it has granted is gone by then.
        /// - Returns: how many of 25 more are granted, and the project.
        private func grantedAfterDeath(on stack: Stack, isForgotten: Bool = false) throws -> (count: Int, Project) {
            let project = try Project.create(on: stack)
            try stack.mesher("project", "set", project.slug, "--rate-limit", "60", "--rate-limit-window", "600")
            #expect(
                try eventually {
                    try project.post("{}").header("RateLimit-Policy") == #""project";q=60;w=600"#
                })

            try Outage(stack: stack).signalRedis(SIGSTOP)
            let first = try (0..<15).map { _ in try project.post(event).status }
            #expect(first.allSatisfy { $0 == 202 })
            let storage = try #require(Processes(stack: stack).children("mesher-storage").first)
            if isForgotten { try #require(unlink(stack["MESHER_RUN_DIR"] + "/quota") == 0) }
            kill(storage, SIGKILL)
            let answers = try (0..<25).map { _ in try project.post(event) }
            let granted = answers.count { $0.status == 202 }
            let refused = answers.filter { $0.status == 429 }
            #expect(refused.count == 25 - granted)
            #expect(refused.allSatisfy { $0.header("Retry-After").flatMap { Int($0) } ?? 0 > 500 })
            return (granted, project)
        }

        @Test(
            "Redis hanging: the host's share is granted exactly, by all workers together and over a restart of storage")
        func redisHangs() throws {
            let stack = try Stack(settings: Self.threeHosts)
            defer { stack.stop() }
            let outage = Outage(stack: stack)
            defer { try? outage.signalRedis(SIGCONT) }
            let (granted, project) = try grantedAfterDeath(on: stack)
            #expect(granted == 5)
            #expect(try stack.request("GET", "/readyz").text == #"{"ready":true,"degraded":["redis"]}"#)
            let metrics = try HostMetrics.next(from: stack)
            #expect(metrics["mesher_dependency_up", ["dependency": "redis"]] == 0)
            #expect(metrics["mesher_rate_limit_fallbacks_total"] >= 40)
            // One, however many workers there are.
            let successor = try #require(Processes(stack: stack).children("mesher-storage").first)
            #expect(try outage.logLines("mesher-storage[\(successor)]: warning: Redis is down") == 1)

            try outage.signalRedis(SIGCONT)
            #expect(try eventually { try stack.request("GET", "/readyz").text == #"{"ready":true,"degraded":[]}"# })
            #expect(try eventually { try outage.logLines("mesher-storage[\(successor)]: notice: Redis is back") == 1 })
            #expect(try project.post(event).header("RateLimit") != nil)
        }

        @Test("Without storage's file the share is granted once more, so that test could fail")
        func redisHangsForgotten() throws {
            let stack = try Stack(settings: Self.threeHosts)
            defer { stack.stop() }
            defer { try? Outage(stack: stack).signalRedis(SIGCONT) }
            #expect(try grantedAfterDeath(on: stack, isForgotten: true).count == 20)
        }

        @Test("Redis that became a replica, was killed or was flushed: events are taken, and it counts again by itself")
        func redisStates() throws {
            let stack = try Stack()
            defer { stack.stop() }
            let outage = Outage(stack: stack)
            let project = try Project.create(on: stack)
            func expectRecovery() throws {
                #expect(
                    try eventually {
                        try stack.request("GET", "/readyz").text == #"{"ready":true,"degraded":[]}"#
                            && project.post(event).header("RateLimit") != nil
                    })
            }
            try outage.redis("REPLICAOF", "127.0.0.1", "1")
            #expect(try project.post(event).status == 202)
            #expect(try eventually { try stack.request("GET", "/readyz").text.contains(#"["redis"]"#) })
            #expect(try (0..<10).allSatisfy { _ in try project.post(event).status == 202 })
            try outage.redis("REPLICAOF", "NO", "ONE")
            try expectRecovery()

            try outage.redis("FLUSHALL")
            #expect(try project.post(event).header("RateLimit")?.contains("r=999;") == true)

            try outage.signalRedis(SIGKILL)
            #expect(try project.post(event).status == 202)
            try outage.startRedis()
            try expectRecovery()
            #expect(try outage.logLines("Redis is down") >= 1)
        }

        /// PostgreSQL crashes under full load, storage is killed while it is away, and both come back.
        ///
        /// - Parameter settings: those of the stack.
        /// - Returns: what the clients saw, and how many rows there are once nothing waits on disk, and how much waited there.
        private func crashUnderLoad(_ settings: [String]) throws -> (seen: Load.Result, rows: Int, spooled: Int) {
            let stack = try Stack(settings: settings + ["MESHER_RATE_LIMIT_EVENTS=1000000000"])
            defer { stack.stop() }
            let outage = Outage(stack: stack)
            func snapshot() -> Data? { FileManager.default.contents(atPath: stack.folder + "/state/keys") }
            let before = snapshot()
            let project = try Project.create(on: stack)
            #expect(eventually { snapshot() != before }, "the key would outlive storage")
            func spooled() throws -> Int { try outage.spooled() ?? 0 }
            let load = try Load(on: project, seconds: 8)
            _ = try eventually { try project.count() > 100 }
            try outage.stopPostgreSQL()
            // Some hundred events, in the time that the load has; never, without a spool.
            _ = try eventually(within: 5) { try spooled() > 100_000 }
            for storage in Processes(stack: stack).children("mesher-storage") { kill(storage, SIGKILL) }
            let most = try spooled()
            try outage.startPostgreSQL()
            let seen = try load.result()
            _ = try eventually { try spooled() == 0 && project.count() >= seen.accepted }
            return (seen, try project.count(), most)
        }

        @Test("PostgreSQL that crashes under load is noticed by no client, and each accepted event is stored once")
        func crash() throws {
            let (seen, rows, spooled) = try crashUnderLoad([])
            print(
                "PostgreSQL crashed under load: \(seen.accepted) accepted, \(seen.failures) failures, "
                    + "\(spooled) bytes on disk meanwhile, \(rows) rows")
            #expect(spooled > 100_000)
            #expect(seen.failures == 0, "\(seen.answers)")
            #expect(rows == seen.accepted)
        }

        @Test("Without the spool clients do see it, so that test could fail; what was accepted is there all the same")
        func crashWithoutSpool() throws {
            let (seen, rows, _) = try crashUnderLoad(["MESHER_SPOOL_LIMIT=0"])
            #expect(seen.failures > 0)
            // An event may be stored though its answer was 503: the crash came between the two.
            #expect(rows >= seen.accepted)
        }
    }
}
