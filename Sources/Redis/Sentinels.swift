package import Configuration

/// Sentinels that watch a Redis master and its replicas, and name the one that is master now.
/// See https://redis.io/docs/latest/develop/reference/sentinel-clients/.
package struct Sentinels: Sendable {
    package let servers: [ServerAddress]
    /// What the Sentinels call the master.
    package let master: String
    private let user: String
    private let password: String
    /// The port on which the master and its replicas listen. A confined process can connect to no other.
    private let port: Int

    package init(servers: [ServerAddress], master: String, port: Int, user: String = "", password: String = "") {
        self.servers = servers
        self.master = master
        self.port = port
        self.user = user
        self.password = password
    }

    /// As the configuration says; nil when it names none.
    package init?(_ settings: Settings) {
        let servers = ServerAddress.list(settings.text(.redisSentinels)) ?? []
        guard !servers.isEmpty else { return nil }
        self.init(
            servers: servers, master: settings.text(.redisMaster), port: settings.integer(.redisPort),
            user: settings.text(.redisSentinelUser), password: settings.text(.redisSentinelPassword))
    }

    /// The words of AUTH; nil when no password is set.
    package var credentials: [String]? {
        guard !password.isEmpty else { return nil }
        return user.isEmpty ? ["AUTH", password] : ["AUTH", user, password]
    }

    /// The words that ask for the master.
    package var question: [String] { ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", master] }

    /// The master that a Sentinel names.
    ///
    /// - Throws: `RedisError` when it knows none, or one on a port that edges cannot reach.
    package func master(in reply: RedisReply) throws(RedisError) -> RedisServer.Address {
        switch reply {
        case .texts(let words):
            guard words.count == 2, let port = Int(words[1]) else { break }
            guard port == self.port else {
                throw RedisError(
                    operation: "master",
                    message: "names \(words[0]):\(port) as master, where MESHER_REDIS_PORT is \(self.port)")
            }
            return .tcp(host: words[0], port: port)
        case .other: throw RedisError(operation: "master", message: "knows no master \(master)")
        case .error(let text): throw RedisError(operation: "master", message: text)
        default: break
        }
        throw RedisError(operation: "master", message: "reply not of the expected kind")
    }
}
