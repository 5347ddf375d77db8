/// A program that may be given settings.
package enum Program: String, CaseIterable, Sendable {
    case watchdog, storage, worker, stream, mesher
}

/// One setting: its name in file, environment and command line, its type, and the programs that get it.
package struct Setting: Sendable {
    package enum Kind: Sendable {
        case text
        /// A whole number within a range.
        case integer(ClosedRange<Int>)
        /// Servers separated by commas, each `host:port`.
        case servers
        /// `on` or `off`.
        case toggle
    }

    /// `MESHER_` and capital letters.
    package let name: String
    package let kind: Kind
    /// The unit of a number; empty for text.
    package let unit: String
    package let fallback: String
    /// Whether its value is masked wherever it is shown. A secret can also be given as a file, `NAME_FILE`.
    package let isSecret: Bool
    package let programs: Set<Program>
    package let meaning: String

    private init(
        _ name: String, _ kind: Kind = .text, unit: String = "", default fallback: String, secret: Bool = false,
        for programs: Set<Program>, _ meaning: String
    ) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.fallback = fallback
        self.isSecret = secret
        self.programs = programs
        self.meaning = meaning
    }
}

extension Setting {
    private static let edges: Set<Program> = [.worker, .stream, .mesher]

    package static let runDirectory = Setting(
        "MESHER_RUN_DIR", default: "/run/mesher", for: [.watchdog, .storage, .worker, .stream, .mesher],
        "directory of the sockets, metrics and status of the running service")
    package static let stateDirectory = Setting(
        "MESHER_STATE_DIR", default: "/var/lib/mesher", for: [.storage, .mesher],
        "directory of what must survive a reboot: the keys and, by default, the spool; only the service's "
            + "user may read it")
    package static let binaryDirectory = Setting(
        "MESHER_BIN", default: "", for: [.watchdog],
        "directory of the programs; empty means the watchdog's own")
    package static let workers = Setting(
        "MESHER_WORKERS", .integer(0...256), unit: "processes", default: "0", for: [.watchdog],
        "workers for single events; 0 means one per core. One more is for bulks")

    package static let workerRequests = Setting(
        "MESHER_WORKER_REQUESTS", .integer(0...1_000_000_000_000), unit: "requests", default: "0", for: [.watchdog],
        "a worker is replaced after this many requests; 0 means never")
    package static let workerMemory = Setting(
        "MESHER_WORKER_MEMORY", .integer(0...1_048_576), unit: "MiB", default: "0", for: [.watchdog],
        "a worker that holds more memory than this is replaced; 0 means never")
    package static let stuckExecuting = Setting(
        "MESHER_STUCK_EXECUTING", .integer(1...3_600), unit: "s", default: "5", for: [.watchdog],
        "a process that spends longer than this on one body is aborted and replaced; time in which it waits "
            + "for a processor does not count")
    package static let stuckHeartbeat = Setting(
        "MESHER_STUCK_HEARTBEAT", .integer(3...3_600), unit: "s", default: "30", for: [.watchdog],
        "a process whose event loop stands still for longer than this is aborted and replaced, counted the "
            + "same way")
    package static let startTimeout = Setting(
        "MESHER_START_TIMEOUT", .integer(1...3_600), unit: "s", default: "60", for: [.watchdog],
        "the watchdog gives up after this long without a ready worker")
    package static let healthInterval = Setting(
        "MESHER_HEALTH_INTERVAL", .integer(1...3_600), unit: "s", default: "10", for: [.watchdog],
        "health-check interval for workers, storage and streams; the timeout is half of it")

    package static let databaseURL = Setting(
        "MESHER_DATABASE_URL", default: "postgresql:///mesher", secret: true, for: [.mesher],
        "PostgreSQL for the operator's commands: the role that owns the schema")
    package static let storageDatabaseURL = Setting(
        "MESHER_STORAGE_DATABASE_URL", default: "postgresql:///mesher?user=mesher_storage", secret: true,
        for: [.storage, .mesher],
        "PostgreSQL for storage: a role that is a member of mesher_runtime; may name several servers")
    package static let commitConnections = Setting(
        "MESHER_COMMIT_CONNECTIONS", .integer(1...8), unit: "connections", default: "2", for: [.storage, .mesher],
        "storage's connections to PostgreSQL for single events: one batch is executed while another waits for the disk")
    package static let bulkConnections = Setting(
        "MESHER_BULK_CONNECTIONS", .integer(1...8), unit: "connections", default: "1", for: [.storage, .mesher],
        "storage's connections to PostgreSQL for bulks")
    package static let commitEvents = Setting(
        "MESHER_COMMIT_EVENTS", .integer(1...1_000), unit: "events", default: "16", for: [.storage],
        "while events are flowing, storage commits as soon as this many wait")
    package static let commitDelay = Setting(
        "MESHER_COMMIT_DELAY", .integer(0...500_000), unit: "µs", default: "500", for: [.storage],
        "while events are flowing, storage commits at the latest this long after the first of a batch, and at "
            + "half of MESHER_SPOOL_AFTER; a lone event is committed at once")

    package static let spoolDirectory = Setting(
        "MESHER_SPOOL_DIR", default: "", for: [.storage, .mesher],
        "directory of the spool, which keeps events on disk while PostgreSQL does not take them; empty "
            + "means spool in MESHER_STATE_DIR")
    package static let spoolLimit = Setting(
        "MESHER_SPOOL_LIMIT", .integer(0...1_048_576), unit: "MiB", default: "4096", for: [.storage, .mesher],
        "maximum size of spool and quarantine together; 0 means no spool: events that PostgreSQL does not "
            + "take are refused")
    package static let spoolShare = Setting(
        "MESHER_SPOOL_SHARE", .integer(1...100), unit: "%", default: "50", for: [.storage],
        "share of MESHER_SPOOL_LIMIT that the events of one project may fill")
    package static let spoolAfter = Setting(
        "MESHER_SPOOL_AFTER", .integer(50...4_000), unit: "ms", default: "1000", for: [.storage],
        "commit timeout: events that PostgreSQL has not committed by then go to the spool")

    package static let redisSocket = Setting(
        "MESHER_REDIS_SOCKET", default: "", for: edges,
        "path of Redis's unix socket; empty means TCP")
    package static let redisHost = Setting(
        "MESHER_REDIS_HOST", default: "127.0.0.1", for: edges,
        "host name or address of Redis, used when MESHER_REDIS_SOCKET is empty")
    package static let redisPort = Setting(
        "MESHER_REDIS_PORT", .integer(1...65_535), default: "6379", for: edges,
        "TCP port of Redis")
    package static let redisSentinels = Setting(
        "MESHER_REDIS_SENTINELS", .servers, default: "", for: edges,
        "Sentinels that name the Redis master, host:port separated by commas; empty means no Sentinels. The "
            + "master and its replicas must listen on MESHER_REDIS_PORT; MESHER_REDIS_HOST and "
            + "MESHER_REDIS_SOCKET are ignored")
    package static let redisMaster = Setting(
        "MESHER_REDIS_MASTER", default: "mesher", for: edges,
        "the master's name at the Sentinels")
    package static let redisSentinelUser = Setting(
        "MESHER_REDIS_SENTINEL_USER", default: "", for: edges,
        "user for AUTH at the Sentinels; empty means the default user")
    package static let redisSentinelPassword = Setting(
        "MESHER_REDIS_SENTINEL_PASSWORD", default: "", secret: true, for: edges,
        "password for AUTH at the Sentinels; empty means none")
    package static let redisUser = Setting(
        "MESHER_REDIS_USER", default: "", for: edges,
        "user for AUTH at Redis; empty means the default user")
    package static let redisPassword = Setting(
        "MESHER_REDIS_PASSWORD", default: "", secret: true, for: edges,
        "password for AUTH at Redis; empty means none")
    package static let redisDatabase = Setting(
        "MESHER_REDIS_DATABASE", .integer(0...65_535), default: "0", for: edges,
        "number of the Redis database")
    package static let redisTLS = Setting(
        "MESHER_REDIS_TLS", .toggle, default: "off", for: edges,
        "whether to use TLS for Redis and its Sentinels; their certificates must be for the name or address by "
            + "which Mesher connects. A unix socket is never encrypted")
    package static let redisAuthorities = Setting(
        "MESHER_REDIS_CA", default: "/etc/ssl/certs/ca-certificates.crt", for: edges,
        "file with the certificates of the CAs that may sign those of Redis and its Sentinels, in PEM form")
    package static let redisCertificate = Setting(
        "MESHER_REDIS_CERTIFICATE", default: "", for: edges,
        "file with the client certificate for Redis and its Sentinels and the intermediate CAs after it, in PEM "
            + "form; empty means none")
    package static let redisCertificateKey = Setting(
        "MESHER_REDIS_CERTIFICATE_KEY", default: "", for: edges,
        "file with the client certificate's private key, in PEM form without a passphrase; the service's user "
            + "must be able to read it")
    package static let redisPrefix = Setting(
        "MESHER_REDIS_PREFIX", default: "mesher:limit:", for: edges,
        "prefix of the rate limits' Redis keys")

    package static let rateLimitEvents = Setting(
        "MESHER_RATE_LIMIT_EVENTS", .integer(1...1_000_000_000), unit: "events", default: "1000", for: [.storage],
        "default rate limit: events that a project may send per window")
    package static let rateLimitSeconds = Setting(
        "MESHER_RATE_LIMIT_SECONDS", .integer(1...86_400), unit: "s", default: "60", for: [.storage],
        "default length of the rate limit's window")
    package static let bulkEvents = Setting(
        "MESHER_BULK_EVENTS", .integer(1...100_000), unit: "events", default: "1000", for: [.worker, .stream],
        "maximum number of events in one bulk request")
    package static let senderAddress = Setting(
        "MESHER_SENDER_ADDRESS", .toggle, default: "off", for: [.worker],
        "whether the sender's address becomes the user's address in events of Sentry SDKs that leave it "
            + "open")
    package static let hosts = Setting(
        "MESHER_HOSTS", .integer(1...10_000), default: "1", for: [.storage],
        "hosts that share the rate limits: while Redis is down each grants limit / hosts")

    package static let midnightMargin = Setting(
        "MESHER_MIDNIGHT_MARGIN", .integer(0...3_600), unit: "s", default: "300", for: [.storage, .mesher],
        "time before and after midnight (UTC) in which an id is looked for whatever day another host's clock "
            + "says; 0 means not at all")

    package static let requestsInHand = Setting(
        "MESHER_REQUESTS_IN_HAND", .integer(1...10_000), unit: "requests", default: "512", for: [.worker],
        "maximum number of requests in flight per worker; further ones wait in the socket")
    package static let bytesInHand = Setting(
        "MESHER_BYTES_IN_HAND", .integer(8...16_384), unit: "MiB", default: "64", for: [.worker],
        "maximum size of the bodies that a worker holds; further requests wait in the socket")

    package static let streamAddress = Setting(
        "MESHER_STREAM_ADDRESS", default: "", for: [.watchdog],
        "address where WebSocket clients may connect without nginx, such as 127.0.0.1:8081; empty means "
            + "none")
    package static let streamConnections = Setting(
        "MESHER_STREAM_CONNECTIONS", .integer(1...50_000), unit: "connections", default: "10000", for: [.stream],
        "maximum number of WebSocket connections of this host, each a process; beyond it 503")
    package static let streamProjectConnections = Setting(
        "MESHER_STREAM_PROJECT_CONNECTIONS", .integer(1...50_000), unit: "connections", default: "1000",
        for: [.stream],
        "maximum number of WebSocket connections of one project on this host; beyond it 429")
    package static let streamRate = Setting(
        "MESHER_STREAM_RATE", .integer(1...100_000), unit: "connections/s", default: "1000", for: [.stream],
        "maximum number of new WebSocket connections per second, also in one burst; beyond it 503")
    package static let streamMemory = Setting(
        "MESHER_STREAM_MEMORY", .integer(0...1_048_576), unit: "MiB", default: "0", for: [.stream],
        "maximum memory of all WebSocket connections together for what clients have sent or not yet read; 0 "
            + "means an eighth of the machine's memory, or of the service's cgroup limit")
    package static let streamAge = Setting(
        "MESHER_STREAM_AGE", .integer(1...31_536_000), unit: "s", default: "43200", for: [.stream],
        "a WebSocket connection is closed at this age, up to a tenth earlier at random")
    package static let streamPing = Setting(
        "MESHER_STREAM_PING", .integer(1...30), unit: "s", default: "30", for: [.stream],
        "ping interval of WebSocket connections; a client that is silent or takes no answer for twice as "
            + "long is dropped")

    package static let publicURL = Setting(
        "MESHER_PUBLIC_URL", default: "http://localhost", for: [.mesher],
        "where clients reach Mesher: what printed DSNs begin with, and what mesher check tests")
    package static let retentionDays = Setting(
        "MESHER_RETENTION_DAYS", .integer(1...36_500), unit: "days", default: "90", for: [.mesher],
        "how long events are kept, unless their project sets less")
    package static let retentionSize = Setting(
        "MESHER_RETENTION_SIZE", .integer(0...1_073_741_824), unit: "MiB", default: "0", for: [.mesher],
        "how large all days together may be in PostgreSQL, with indexes: mesher db maintain drops the oldest "
            + "first, never today's; 0 means any size")

    /// Every setting, in the order in which `mesher config` prints them.
    package static let all: [Setting] = [
        runDirectory, stateDirectory, binaryDirectory, workers, workerRequests, workerMemory, stuckExecuting,
        stuckHeartbeat, startTimeout, healthInterval, databaseURL, storageDatabaseURL, commitConnections,
        bulkConnections, commitEvents, commitDelay,
        spoolDirectory, spoolLimit, spoolShare, spoolAfter, redisSocket, redisHost, redisPort,
        redisSentinels, redisMaster, redisSentinelUser, redisSentinelPassword, redisUser, redisPassword,
        redisDatabase, redisTLS, redisAuthorities, redisCertificate, redisCertificateKey, redisPrefix, rateLimitEvents,
        rateLimitSeconds, bulkEvents, senderAddress, hosts, midnightMargin,
        requestsInHand, bytesInHand, streamAddress, streamConnections, streamProjectConnections, streamRate,
        streamMemory,
        streamAge, streamPing, publicURL,
        retentionDays, retentionSize,
    ]
}
