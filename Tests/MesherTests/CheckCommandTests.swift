import Foundation
import PostgreSQL
import TestServers
import Testing

@testable import mesher

struct CheckCommandTests {
    /// Each finding that is a fault: its subject and what it says.
    private static func faults(_ run: Execution) throws -> [String: String] {
        let findings = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
        let pairs = findings.filter { $0["ok"] as? Bool == false }.map { finding in
            (finding["subject"] as? String ?? "", finding["finding"] as? String ?? "")
        }
        #expect(findings.allSatisfy { ($0["advice"] is String) == ($0["ok"] as? Bool == false) })
        return Dictionary(pairs) { first, _ in first }
    }

    /// A service all of whose parts are there but the service itself.
    private static func service(redis: SupervisedScript, nginx: StubHTTPServer? = nil) throws -> TestService {
        var service = try TestService()
        service.environment["MESHER_PUBLIC_URL"] = nginx.map { "http://\($0.authority)" } ?? "http://127.0.0.1:1"
        let role = "storage_\(UInt32.random(in: .min ... .max))"
        try service.open().execute("CREATE ROLE \(role) LOGIN IN ROLE mesher_runtime")
        service.environment["MESHER_STORAGE_DATABASE_URL"] = service.server.url(database: service.database, user: role)
        service.environment["MESHER_REDIS_SOCKET"] = redis.folder + "/redis.sock"
        service.environment["MESHER_RUN_DIR"] = "/nonexistent"
        _ = try service.run("db", "maintain")
        return service
    }

    private static func redis(options: String = "") throws -> SupervisedScript {
        let start = """
            redis-server --port 0 --unixsocket "$1/redis.sock" --save '' --dir "$1" \(options) </dev/null &
            """
        let redis = try SupervisedScript(start, name: "redis")
        #expect(eventually { FileManager.default.fileExists(atPath: redis.folder + "/redis.sock") })
        return redis
    }

    private static func nginx(status: Int = 401, reason: String = "unauthorized") throws -> StubHTTPServer {
        try StubHTTPServer(
            status: status, body: #"{"error":"…","reason":"\#(reason)"}"#, headers: StubHTTPServer.browsers)
    }

    @Test("when all but the service is there, only the service is at fault, and the exit status is 69")
    func onlyTheServiceIsMissing() throws {
        let redis = try Self.redis()
        let nginx = try Self.nginx()
        let run = try Self.service(redis: redis, nginx: nginx).run("check", "--json")
        #expect(run.status == 69)
        #expect(try Self.faults(run) == ["service": "/nonexistent: No such file or directory"])
        let routes = [
            #""/api/v1/events" 1048576"#, #""/api/v1/events/bulk" 5242880"#,
            #""/api/1/envelope/?sentry_key=check" 20971520"#,
        ]
        #expect(nginx.requests.map(String.init) == routes)
        redis.stop()
    }

    @Test("nginx away, too small a limit in it, and an answer that is not Mesher's are told apart")
    func nginxFaults() throws {
        let redis = try Self.redis()
        let away = try Self.service(redis: redis).run("check", "--json")
        #expect(try Self.faults(away)["nginx"]?.hasPrefix("http://127.0.0.1:1/api/v1/events: ") == true)
        let nginx = try Self.nginx(status: 400, reason: "payload_too_large")
        let run = try Self.service(redis: redis, nginx: nginx).run("check", "--json")
        #expect(try Self.faults(run)["nginx"]?.hasSuffix(": 400 payload_too_large") == true)
        #expect(
            HTTPCheck.advice(status: 413, reason: nil, size: 1 << 20)?.contains("client_max_body_size to 1m") == true)
        #expect(HTTPCheck.advice(status: 503, reason: "unavailable", size: 1)?.contains("no worker does") == true)
        #expect(HTTPCheck.advice(status: 404, reason: nil, size: 1)?.contains("other than Mesher answers") == true)
        #expect(HTTPCheck.advice(status: 401, reason: nil, size: 1)?.contains("other than Mesher answers") == true)
        #expect(HTTPCheck.advice(status: 401, reason: "unauthorized", size: 1) == nil)
        redis.stop()
    }

    @Test("whose limits hold is told as nginx says it, and not at all when it says nothing")
    func limits() {
        func text(_ head: String) -> String? { HTTPCheck.limits(head: head)?.text }
        #expect(
            text("HTTP/1.1 200 OK\r\nMesher-Other-Limits: yes\r\n\r\n")?.contains("mesher-limits.conf apply") == true)
        #expect(text("HTTP/2 200\r\nmesher-other-limits: no\r\n\r\n")?.contains("only Mesher's own limits") == true)
        #expect(text("HTTP/1.1 200 OK\r\n\r\n") == nil)
    }

    @Test("whose ids are believed is told by the file that nginx reads, and whether this check came so by nginx itself")
    func fronts() {
        func text(_ says: String, _ file: String?) -> String? {
            HTTPCheck.fronts(head: "HTTP/1.1 200 OK\r\n\(says)\r\n\r\n", file: file, path: "/f")?.text
        }
        let file = "# fronts\n10.0.0.1 yes;\n  ~^10\\.1\\. yes; # more\n# 10.0.0.2 yes;\n10.0.0.3 no;\n"
        #expect(
            text("Mesher-Front: no", file)
                == "request ids and times are trusted from 10.0.0.1, ~^10\\.1\\. (/f); this check came through none")
        #expect(text("mesher-front: yes", file)?.hasSuffix("came through one of them") == true)
        #expect(text("Mesher-Front: no", nil)?.contains("trusted from nobody") == true)
        #expect(text("Mesher-Front: yes", nil)?.contains("is not on this host") == true)
        #expect(text("Server: nginx", file) == nil)
    }

    @Test("--configuration looks at nothing else, and ends with 0 when it is sound")
    func configurationAlone() throws {
        var service = try TestService(isMigrated: false)
        service.environment["MESHER_DATABASE_URL"] = "postgresql:///x?host=/nonexistent"
        let run = try service.run("check", "--configuration")
        #expect(run.status == 0)
        #expect(run.output == "ok     configuration  sound\n")
    }

    @Test(
        "a faulty configuration ends with 78 and names the key",
        arguments: [
            ("MESHER_HOSTS", "0"), ("MESHER_PUBLIC_URL", "ftp://x"),
            ("MESHER_RUN_DIR", "/" + String(repeating: "d", count: 100)),
        ])
    func faultyConfiguration(name: String, value: String) throws {
        var service = try TestService(isMigrated: false)
        service.environment[name] = value
        let run = try service.run("check", "--configuration")
        #expect(run.status == 78)
        #expect(run.output.contains("FAULT") && run.output.contains(name))
    }

    @Test("a clock two minutes behind PostgreSQL's and Redis' is said to be")
    func clock() throws {
        let redis = try Self.redis()
        var service = try Self.service(redis: redis)
        let library = redis.folder + "/clock.so"
        let compile = "printf '%s' '\(Self.slowClock)' | clang -shared -fPIC -xc - -o \(library)"
        #expect(try Execution.run("/bin/sh", ["-c", compile]).status == 0)
        service.environment["LD_PRELOAD"] = library
        let run = try service.run("check")
        #expect(
            run.output.contains("120.0 s behind PostgreSQL's") || run.output.contains("119.9 s behind PostgreSQL's"))
        #expect(run.output.contains("s behind Redis's"))
        redis.stop()
    }

    private static let slowClock = """
        #include <sys/syscall.h>
        #include <time.h>
        #include <unistd.h>
        int clock_gettime(clockid_t clock, struct timespec *time) {
            int result = syscall(SYS_clock_gettime, clock, time);
            if (clock == CLOCK_REALTIME) time->tv_sec -= 120;
            return result;
        }
        """

    @Test("PostgreSQL away, Redis away and no schema are told apart")
    func databaseFaults() throws {
        var service = try TestService(isMigrated: false)
        service.environment["MESHER_REDIS_SOCKET"] = "/nonexistent/redis.sock"
        let faults = try Self.faults(service.run("check", "--json"))
        #expect(faults["schema"]?.contains("version 0") == true)
        #expect(faults["Redis"]?.contains("/nonexistent/redis.sock") == true)
        service.environment["MESHER_DATABASE_URL"] = "postgresql:///x?host=/nonexistent"
        let away = try service.run("check", "--json")
        #expect(away.status == 69)
        #expect(try Self.faults(away)["PostgreSQL"]?.contains("/nonexistent") == true)
    }

    @Test("missing partitions and retention that did not run are faults")
    func partitionFaults() throws {
        let redis = try Self.redis()
        let service = try Self.service(redis: redis)
        let connection = try service.open()
        let name = try connection.query(
            "SELECT 'events_' || to_char((now() AT TIME ZONE 'UTC') + interval '3 days', 'YYYYMMDD')")
        let ahead = try #require(name[row: 0, column: 0])
        try connection.execute("DROP TABLE \(ahead); SELECT mesher_make_partitions('2024-01-01', '2024-01-01')")
        let faults = try Self.faults(service.run("check", "--json"))
        #expect(faults["partitions"] == "none for \(ahead.dropFirst("events_".count))")
        #expect(faults["retention"] == "events_20240101 is older than 90 days")
        redis.stop()
    }

    @Test("a storage role that may too much, or too little, is a fault")
    func roleFaults() throws {
        let redis = try Self.redis()
        var service = try Self.service(redis: redis)
        func fault(as role: String) throws -> String? {
            service.environment["MESHER_STORAGE_DATABASE_URL"] = service.server.url(
                database: service.database, user: role)
            return try Self.faults(service.run("check", "--json"))["storage's role"]
        }
        #expect(try fault(as: "postgres") == "postgres is a superuser")
        let role = "role_\(UInt32.random(in: .min ... .max))"
        try service.open().execute("CREATE ROLE \(role) LOGIN")
        #expect(try fault(as: role) == "\(role) may not write events")
        try service.open().execute("GRANT mesher_runtime TO \(role); GRANT SELECT ON events TO \(role)")
        #expect(try fault(as: role) == "\(role) may read events, which storage never needs")
        #expect(try fault(as: "nobody_there")?.contains("nobody_there") == true)
        redis.stop()
    }

    @Test("a Redis that wants a password, another one, or forbids scripts is a fault")
    func redisFaults() throws {
        let redis = try Self.redis(options: "--requirepass swordfish --user brief on '>word' '~*' '+get'")
        var service = try Self.service(redis: redis)
        func fault() throws -> String? { try Self.faults(service.run("check", "--json"))["Redis"] }
        #expect(try fault()?.hasPrefix("SCRIPT: NOAUTH") == true)
        service.environment["MESHER_REDIS_PASSWORD"] = "wrong"
        #expect(try fault()?.hasPrefix("AUTH: WRONGPASS") == true)
        service.environment["MESHER_REDIS_PASSWORD"] = "swordfish"
        #expect(try fault() == nil)
        service.environment["MESHER_REDIS_DATABASE"] = "99"
        #expect(try fault()?.hasPrefix("SELECT: ") == true)
        service.environment["MESHER_REDIS_DATABASE"] = "0"
        service.environment["MESHER_REDIS_USER"] = "brief"
        service.environment["MESHER_REDIS_PASSWORD"] = "word"
        #expect(try fault()?.hasPrefix("SCRIPT: NOPERM") == true)
        redis.stop()
    }

    @Test("of what edges do with Redis each command and key is tried, and the line that allows them is printed")
    func redisPermissions() throws {
        let all = ["+script|load", "+eval", "+evalsha", "+get", "+incrby", "+pttl", "+pexpire"]
        let users =
            all.map { missing in (missing, "~mesher:limit:*", all.filter { $0 != missing }) }
            + [("keys", "~other:*", all)]
        func option(_ name: String, _ keys: String, _ commands: [String]) -> String {
            let words = ["on", ">word", keys] + commands
            return "--user '\(name)' " + words.map { "'\($0)'" }.joined(separator: " ")
        }
        let options = users.enumerated().map { option("user\($0.offset)", $0.element.1, $0.element.2) }
        let redis = try Self.redis(
            options: (options + [option("right", "~mesher:limit:*", all)]).joined(separator: " "))
        var service = try Self.service(redis: redis)
        service.environment["MESHER_REDIS_PASSWORD"] = "word"
        for (number, user) in users.enumerated() {
            service.environment["MESHER_REDIS_USER"] = "user\(number)"
            let output = try service.run("check").output
            let line = "ACL SETUSER user\(number) on '~mesher:limit:*' " + all.joined(separator: " ")
            #expect(output.contains("FAULT  Redis"), "\(user.0): \(output)")
            #expect(output.contains(line), "\(user.0): \(output)")
            // The counter that this one made would hide that the next may not let it expire.
            usleep(1_100_000)
        }
        service.environment["MESHER_REDIS_USER"] = "right"
        #expect(try Self.faults(service.run("check", "--json"))["Redis"] == nil)
        redis.stop()
    }

    @Test("a Redis that evicts is a fault, when its memory has a limit at all")
    func evictingRedis() throws {
        let redis = try Self.redis(options: "--maxmemory 100mb --maxmemory-policy allkeys-lru")
        let run = try Self.service(redis: redis).run("check", "--json")
        #expect(try Self.faults(run)["Redis"]?.contains("allkeys-lru") == true)
        #expect(RedisCheck.eviction(in: "maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n") == nil)
        #expect(RedisCheck.eviction(in: "maxmemory:1\r\nmaxmemory_policy:noeviction\r\n") == nil)
        #expect(RedisCheck.eviction(in: "maxmemory:1\r\nmaxmemory_policy:volatile-ttl\r\n") != nil)
        redis.stop()
    }

    @Test("a Redis that cannot count is a fault, and what to do about it depends on why")
    func redisThatCannotCount() throws {
        let redis = try Self.redis(options: "--replicaof 127.0.0.1 1")
        let run = try Self.service(redis: redis).run("check")
        #expect(run.output.contains("EVAL: READONLY") && run.output.contains("MESHER_REDIS_SOCKET to the primary"))
        for error in ["OOM command not allowed", "LOADING Redis", "MISCONF x", "BUSY x"] {
            #expect(RedisCheck.advice(error) != nil, "\(error)")
        }
        #expect(RedisCheck.advice("NOPERM x") == nil)
        redis.stop()
    }

    @Test("the secrets of a configuration are not printed, neither by check nor by config")
    func secretsStaySecret() throws {
        var service = try TestService(isMigrated: false)
        service.environment["MESHER_REDIS_PASSWORD"] = "swordfish"
        service.environment["MESHER_DATABASE_URL"] = "postgresql://u:swordfish@127.0.0.1:1/x"
        for arguments in [["config"], ["config", "--json"], ["config", "--explain"], ["check"]] {
            let run = try Execution.run(Execution.program("mesher"), arguments, environment: service.environment)
            #expect(!run.output.contains("swordfish") && !run.errors.contains("swordfish"))
        }
        let lines = try service.run("config").output.split(separator: "\n")
        let password = lines.first { $0.hasPrefix("MESHER_REDIS_PASSWORD ") }
        #expect(
            password?.split(separator: " ").map(String.init) == ["MESHER_REDIS_PASSWORD", "********", "environment"])
    }
}
