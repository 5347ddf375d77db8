package import Configuration

/// The address of Redis, and the credentials.
package struct RedisServer: Sendable {
    package enum Address: Sendable, CustomStringConvertible {
        case unix(String)
        case tcp(host: String, port: Int)

        package var description: String {
            switch self {
            case .unix(let path): path
            case .tcp(let host, let port): "\(host):\(port)"
            }
        }
    }

    /// Behind Sentinels only the port counts: they name the host.
    package var address: Address
    /// The Sentinels that name the master; nil when the address is the server's.
    package var sentinels: Sentinels?
    /// Empty means the default user.
    package var user: String
    /// Empty means that AUTH is not sent.
    package var password: String
    package var database: Int

    /// The TCP ports that are connected to, of servers whose names may be looked up; none for a socket in the file system.
    package var tcpPorts: [Int] {
        guard case .tcp(_, let port) = address else { return [] }
        return [port] + (sentinels?.servers.map(\.port) ?? [])
    }

    package init(
        address: Address, sentinels: Sentinels? = nil, user: String = "", password: String = "", database: Int = 0
    ) {
        self.address = address
        self.sentinels = sentinels
        self.user = user
        self.password = password
        self.database = database
    }

    /// As the configuration says.
    package init(_ settings: Settings) {
        let sentinels = Sentinels(settings)
        let socket = settings.text(.redisSocket)
        self.init(
            address: socket.isEmpty || sentinels != nil
                ? .tcp(host: settings.text(.redisHost), port: settings.integer(.redisPort)) : .unix(socket),
            sentinels: sentinels, user: settings.text(.redisUser), password: settings.text(.redisPassword),
            database: settings.integer(.redisDatabase))
    }
}
