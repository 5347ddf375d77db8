internal import Configuration
internal import EventLoop
internal import Glibc
internal import Redis

/// Redis, as the edges need it: reached, open to them, and willing to run a script that counts.
struct RedisCheck {
    /// How long an answer is waited for, in nanoseconds.
    private static let patience: Int64 = 3_000_000_000

    private let server: RedisServer
    private let key: String

    init(_ settings: Settings) {
        server = RedisServer(settings)
        key = settings.text(.redisPrefix) + "{0}"
    }

    func findings() -> [Finding] {
        let subject = "Redis"
        do throws(RedisError) {
            guard let replies = try replies() else {
                let advice = "look at what keeps Redis busy (SLOWLOG GET); the edges wait for it no longer than 50 ms"
                return [.fault(subject, "\(server.address): no answer within 3 s", advice: advice)]
            }
            for (command, reply) in zip(commands, replies) {
                guard case .error(let text) = reply else { continue }
                let advice = Self.advice(text) ?? command.advice
                return [.fault(subject, "\(command.words[0]): \(text)", advice: advice)]
            }
            return [.good(subject, "\(server.address), runs scripts")]
        } catch {
            let advice = "start Redis, or correct MESHER_REDIS_SOCKET, or MESHER_REDIS_HOST and MESHER_REDIS_PORT"
            return [.fault(subject, "\(server.address): \(error)", advice: advice)]
        }
    }

    private var commands: [(words: [String], advice: String)] {
        var commands: [(words: [String], advice: String)] = []
        if !server.password.isEmpty {
            let credentials = server.user.isEmpty ? [server.password] : [server.user, server.password]
            commands.append((["AUTH"] + credentials, "correct MESHER_REDIS_USER and MESHER_REDIS_PASSWORD"))
        }
        if server.database != 0 {
            commands.append((["SELECT", "\(server.database)"], "correct MESHER_REDIS_DATABASE"))
        }
        let advice =
            "set MESHER_REDIS_USER and MESHER_REDIS_PASSWORD, and let that user run EVAL, EVALSHA, SCRIPT, GET, INCRBY, "
            + "PTTL and PEXPIRE on keys that begin with MESHER_REDIS_PREFIX"
        commands.append((["EVAL", Self.script, "1", key], advice))
        return commands
    }

    /// Writes as the limit's script does, to the counter of no project.
    private static let script = "redis.call('INCRBY', KEYS[1], 1) return redis.call('PEXPIRE', KEYS[1], 1000)"

    /// What to do about an error that has nothing to do with who asks; nil for others.
    static func advice(_ error: String) -> String? {
        switch error.prefix(while: { $0 != " " }) {
        case "READONLY", "MASTERDOWN": "let MESHER_REDIS_HOST or MESHER_REDIS_SOCKET name the primary"
        case "OOM": "give Redis more maxmemory, or a maxmemory-policy that evicts"
        case "LOADING": "wait until Redis has loaded its data; edges come back by themselves"
        case "MISCONF", "NOREPLICAS": "see Redis' log: it takes no writes"
        case "BUSY": "see which script keeps Redis busy (SCRIPT KILL ends it)"
        default: nil
        }
    }

    /// The replies to all commands, nil when they are late.
    private func replies() throws(RedisError) -> [RedisReply]? {
        let connection = try RedisConnection.open(server.address)
        let deadline = Clock.monotonic() + Self.patience
        for command in commands { try connection.append(command.words.map { Array($0.utf8) }) }
        var replies: [RedisReply] = []
        var isSent = false
        while replies.count < commands.count {
            let left = deadline - Clock.monotonic()
            var waiting = pollfd(
                fd: connection.number, events: Int16(isSent ? POLLIN : POLLIN | POLLOUT), revents: 0)
            guard left > 0, poll(&waiting, 1, CInt(left / 1_000_000 + 1)) > 0 else { return nil }
            if !isSent { isSent = try connection.flush() }
            if waiting.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 { try connection.receive() }
            while let reply = try connection.nextReply() { replies.append(reply) }
        }
        return replies
    }
}
