package import Configuration
package import TLS

/// The address of Redis, and the credentials.
package struct RedisServer {
    package enum Address: Sendable, CustomStringConvertible {
        case unix(String)
        case tcp(host: String, port: Int)

        package var description: String {
            switch self {
            case .unix(let path): path
            case .tcp(let host, let port): "\(host):\(port)"
            }
        }

        /// What a server's certificate must be for; nil where nobody can stand between.
        var certifiedName: String? {
            switch self {
            case .unix: nil
            case .tcp(let host, _): host
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
    /// For connections by TCP, to Sentinels as well; nil for such that are not encrypted.
    package var tls: TLSContext?

    /// Whether connections are encrypted.
    package var isEncrypted: Bool { tls != nil && address.certifiedName != nil }

    /// The TCP ports that are connected to, of servers whose names may be looked up; none for a socket in the file system.
    package var tcpPorts: [Int] {
        guard case .tcp(_, let port) = address else { return [] }
        return [port] + (sentinels?.servers.map(\.port) ?? [])
    }

    package init(
        address: Address, sentinels: Sentinels? = nil, user: String = "", password: String = "", database: Int = 0,
        tls: TLSContext? = nil
    ) {
        self.address = address
        self.sentinels = sentinels
        self.user = user
        self.password = password
        self.database = database
        self.tls = tls
    }

    /// As the configuration says. Reads the files for TLS.
    package init(_ settings: Settings) {
        let sentinels = Sentinels(settings)
        let socket = settings.text(.redisSocket)
        self.init(
            address: socket.isEmpty || sentinels != nil
                ? .tcp(host: settings.text(.redisHost), port: settings.integer(.redisPort)) : .unix(socket),
            sentinels: sentinels, user: settings.text(.redisUser), password: settings.text(.redisPassword),
            database: settings.integer(.redisDatabase),
            tls: settings.isOn(.redisTLS) ? TLSContext(Self.files(settings)) : nil)
    }

    private static func files(_ settings: Settings) -> TLSContext.Files {
        TLSContext.Files(
            authorities: settings.text(.redisAuthorities), certificate: settings.text(.redisCertificate),
            key: settings.text(.redisCertificateKey))
    }
}
