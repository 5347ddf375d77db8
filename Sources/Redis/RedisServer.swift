package import Configuration

/// Where Redis is, and as whom to speak to it.
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

    package var address: Address
    /// Empty means the default user.
    package var user: String
    /// Empty means that AUTH is not sent.
    package var password: String
    package var database: Int

    /// Its TCP port, when connecting may look up a name; nil for a socket in the file system.
    package var tcpPort: Int? {
        if case .tcp(_, let port) = address { port } else { nil }
    }

    package init(address: Address, user: String = "", password: String = "", database: Int = 0) {
        self.address = address
        self.user = user
        self.password = password
        self.database = database
    }

    /// As the configuration says.
    package init(_ settings: Settings) {
        let socket = settings.text(.redisSocket)
        self.init(
            address: socket.isEmpty
                ? .tcp(host: settings.text(.redisHost), port: settings.integer(.redisPort)) : .unix(socket),
            user: settings.text(.redisUser), password: settings.text(.redisPassword),
            database: settings.integer(.redisDatabase))
    }
}
