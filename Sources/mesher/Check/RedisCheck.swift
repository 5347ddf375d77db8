internal import Configuration
internal import Glibc
internal import Ingestion
internal import Redis
internal import System
internal import TLS

/// Redis, as the edges need it: reached, open to them, and willing to run a script that counts.
struct RedisCheck {
    /// How long an answer is waited for, in nanoseconds.
    private static let patience: Int64 = 3_000_000_000

    private let server: RedisServer
    private let prefix: String

    init(_ settings: Settings) {
        server = RedisServer(settings)
        prefix = settings.text(.redisPrefix)
    }

    private init(_ server: RedisServer, prefix: String) {
        self.server = server
        self.prefix = prefix
    }

    /// What is wrong comes first, then what is well.
    func findings() -> [Finding] {
        guard let sentinels = server.sentinels else { return serverFindings() }
        var faults: [Finding] = []
        var masters: [String: RedisServer.Address] = [:]
        for place in sentinels.servers {
            do throws(RedisError) {
                let master = try master(sentinels, at: place)
                masters["\(master)"] = master
            } catch {
                let usual =
                    "start that Sentinel, or correct MESHER_REDIS_SENTINELS, _MASTER, _SENTINEL_USER, _PASSWORD"
                let advice = error.tlsFault == nil ? usual : advice(error)
                faults.append(.fault("Redis", "Sentinel \(place): \(error)", advice: advice))
            }
        }
        if masters.count > 1 {
            let advice = "wait for the failover to end; then find the Sentinel that does not reach the others"
            let names = masters.keys.sorted().joined(separator: " and ")
            faults.append(.fault("Redis", "Sentinels disagree: \(names) are master", advice: advice))
        }
        guard let master = masters.sorted(by: { $0.key < $1.key }).first?.value else { return faults }
        var named = server
        named.address = master
        named.sentinels = nil
        let found = RedisCheck(named, prefix: prefix).serverFindings()
        let isAgreed = Finding.good(
            "Redis", "\(sentinels.servers.count) Sentinels name \(master) as \(sentinels.master)")
        return faults + found.filter(\.isFault) + (faults.isEmpty ? [isAgreed] : []) + found.filter { !$0.isFault }
    }

    private func master(_ sentinels: Sentinels, at place: ServerAddress) throws(RedisError) -> RedisServer.Address {
        let connection = try RedisConnection.open(.tcp(host: place.host, port: place.port), tls: server.tls)
        let commands = (sentinels.credentials.map { [$0] } ?? []) + [sentinels.question]
        guard let replies = try ask(connection, commands), let answer = replies.last else {
            throw RedisError(operation: "wait", message: "no answer within 3 s")
        }
        for case .error(let text) in replies { throw RedisError(operation: "reply", message: text) }
        return try sentinels.master(in: answer)
    }

    private func serverFindings() -> [Finding] {
        let subject = "Redis"
        do throws(RedisError) {
            let connection = try RedisConnection.open(server.address, tls: server.tls)
            var digest = ""
            for command in greetings + [load, evaluate(["EVAL", script])] {
                let reply = try ask(connection, [command.words])
                if let fault = fault(command, reply) { return [fault] }
                if command.words.first == "SCRIPT", case .text(let text)? = reply?.first { digest = text }
            }
            let again = evaluate(["EVALSHA", digest])
            if let fault = try fault(again, ask(connection, [again.words])) { return [fault] }
            return [.good(subject, "\(server.address)\(server.isEncrypted ? " over TLS" : ""), runs scripts")]
                + [try eviction(connection), try clock(connection)].compactMap(\.self)
        } catch {
            if needsTLS {
                let text = "\(server.address): the server speaks TLS on this port, and MESHER_REDIS_TLS is off"
                return [.fault(subject, text, advice: "set MESHER_REDIS_TLS=on, and MESHER_REDIS_CA")]
            }
            return [.fault(subject, "\(server.address): \(error)", advice: advice(error))]
        }
    }

    private typealias Command = (words: [String], advice: String)

    private func fault(_ command: Command, _ replies: [RedisReply]?) -> Finding? {
        guard let reply = replies?.first else {
            let advice = "find what keeps Redis busy (SLOWLOG GET); edges wait for it for at most 50 ms"
            return .fault("Redis", "\(server.address): no answer within 3 s", advice: advice)
        }
        guard case .error(let text) = reply else { return nil }
        return .fault("Redis", "\(command.words[0]): \(text)", advice: Self.advice(text) ?? command.advice)
    }

    /// What edges say first.
    private var greetings: [Command] {
        var commands: [Command] = []
        if !server.password.isEmpty {
            let credentials = server.user.isEmpty ? [server.password] : [server.user, server.password]
            commands.append((["AUTH"] + credentials, "correct MESHER_REDIS_USER and MESHER_REDIS_PASSWORD"))
        }
        if server.database != 0 {
            commands.append((["SELECT", "\(server.database)"], permission))
        }
        return commands
    }

    private var load: Command { (["SCRIPT", "LOAD", script], permission) }

    /// The edges' own script, with the counter of no project.
    private func evaluate(_ words: [String]) -> Command {
        let probe = LimitScript.Call.probe
        let key = String(decoding: probe.key(prefix: prefix), as: UTF8.self)
        let arguments = probe.arguments.map { String(decoding: $0, as: UTF8.self) }
        return (words + ["1", key] + arguments, permission)
    }

    private var script: String { "\(LimitScript.source)" }

    /// What the user of the edges has to be allowed.
    private var permission: String {
        let user = server.user.isEmpty ? "default" : server.user
        let select = server.database != 0 ? " +select" : ""
        let commands = "+script|load +eval +evalsha +get +incrby +pttl +pexpire"
        return "ACL SETUSER \(user) on '~\(prefix)*' \(commands)\(select), or set MESHER_REDIS_USER and "
            + "MESHER_REDIS_PASSWORD"
    }

    /// A clock that is not this host's; nil when it is, or when Redis doesn't say.
    private func clock(_ connection: borrowing RedisConnection) throws(RedisError) -> Finding? {
        let before = Clock.wall()
        let reply = try ask(connection, [["TIME"]])?.first
        let after = Clock.wall()
        guard case .texts(let parts)? = reply, parts.count == 2, let seconds = Int64(parts[0]),
            let microseconds = Int64(parts[1]), let theirs = Self.microseconds(seconds, microseconds)
        else { return nil }
        let finding = ClockComparison("Redis", theirs: theirs, before: before, after: after).finding
        return finding.isFault ? finding : nil
    }

    /// Nil for more than there is room for.
    private static func microseconds(_ seconds: Int64, _ rest: Int64) -> Int64? {
        let (whole, isTooMuch) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, isOverflow) = whole.addingReportingOverflow(rest)
        return isTooMuch || isOverflow ? nil : sum
    }

    /// A Redis that evicts counters when its memory is full; nil when it does not, or does not say.
    private func eviction(_ connection: borrowing RedisConnection) throws(RedisError) -> Finding? {
        guard case .text(let text)? = try ask(connection, [["INFO", "memory"]])?.first else { return nil }
        return Self.eviction(in: text)
    }

    /// - Parameter information: what INFO memory says.
    static func eviction(in information: String) -> Finding? {
        Eviction.policy(in: information).map { policy in
            .fault(
                "Redis",
                "maxmemory-policy \(policy): when a counter is evicted, its project gets a whole window again",
                advice:
                    "CONFIG SET maxmemory-policy noeviction, and set it in redis.conf; when memory runs out, each host counts for itself"
            )
        }
    }

    /// What to do about an error that has nothing to do with who asks; nil for others.
    static func advice(_ error: String) -> String? {
        switch error.prefix(while: { $0 != " " }) {
        case "READONLY", "MASTERDOWN": "set MESHER_REDIS_HOST or MESHER_REDIS_SOCKET to the primary"
        case "OOM": "raise maxmemory (evicting counters would reset limits)"
        case "LOADING": "wait until Redis has loaded its data; edges reconnect by themselves"
        case "MISCONF", "NOREPLICAS": "see Redis's log: it refuses writes"
        case "BUSY": "find the script that keeps Redis busy (SCRIPT KILL ends it)"
        default: nil
        }
    }

    private var needsTLS: Bool {
        guard server.tls == nil, case .tcp(let host, let port) = server.address else { return false }
        return TLSProbe.speaksTLS(TLSProbe.Server(name: host, port: "\(port)"))
    }

    /// A server without TLS may wait for the end of what it takes for a command.
    private var silence: RedisError {
        RedisError(operation: "TLS", message: "no handshake within 3 s: the server may not speak TLS on this port")
    }

    /// What to do when Redis cannot be reached.
    private func advice(_ error: RedisError) -> String {
        switch error.tlsFault {
        case .file?: "correct MESHER_REDIS_CA, MESHER_REDIS_CERTIFICATE or MESHER_REDIS_CERTIFICATE_KEY"
        case .untrusted?: "set MESHER_REDIS_CA to the CA that has signed it"
        case .outOfDate?: "renew the server's certificate, and compare the clocks"
        case .wrongName?: "set MESHER_REDIS_HOST to a name in the certificate, or sign one for this name"
        case .certificateMissing?: "set MESHER_REDIS_CERTIFICATE and MESHER_REDIS_CERTIFICATE_KEY"
        case .certificateRefused?: "renew the client certificate, or let Redis trust its CA (tls-ca-cert-file)"
        case .notTLS?: "set MESHER_REDIS_PORT to Redis's tls-port, or MESHER_REDIS_TLS=off"
        case .closed?, .other?, nil:
            server.tls == nil
                ? "start Redis, or correct MESHER_REDIS_SOCKET, or MESHER_REDIS_HOST and MESHER_REDIS_PORT"
                : "start Redis, or correct MESHER_REDIS_HOST, and MESHER_REDIS_PORT, which must be its tls-port"
        }
    }

    /// The replies to all commands, nil when they are late.
    private func ask(_ connection: borrowing RedisConnection, _ commands: [[String]]) throws(RedisError)
        -> [RedisReply]?
    {
        let deadline = Clock.monotonic() + Self.patience
        for command in commands { try connection.append(command.map { Array($0.utf8) }) }
        var replies: [RedisReply] = []
        var isSent = false
        while replies.count < commands.count {
            let left = deadline - Clock.monotonic()
            var waiting = pollfd(
                fd: connection.number, events: Int16(isSent ? POLLIN : POLLIN | POLLOUT), revents: 0)
            guard left > 0, poll(&waiting, 1, CInt(left / 1_000_000 + 1)) > 0 else {
                if connection.isHandshaking { throw silence }
                return nil
            }
            if waiting.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 { try connection.receive() }
            isSent = try connection.flush()
            while let reply = try connection.nextReply() { replies.append(reply) }
        }
        return replies
    }
}
