/// A program that may be given settings.
package enum Program: String, CaseIterable, Sendable {
    case watchdog, storage, worker, stream, mesher
}

/// One setting: its name everywhere (file, environment, command line), what it takes and who gets it.
package struct Setting: Sendable {
    package enum Kind: Sendable {
        case text
        /// A whole number within a range.
        case integer(ClosedRange<Int>)
        /// Servers parted by commas, each `host:port`.
        case servers
        /// `on` or `off`.
        case toggle
    }

    /// `MESHER_` and capital letters.
    package let name: String
    package let kind: Kind
    /// What a number counts, empty for text.
    package let unit: String
    package let fallback: String
    /// Whether its value is masked wherever it would be shown; a secret can also be given as a file, `NAME_FILE`.
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
        "where the sockets and the files of the running service are")
    package static let stateDirectory = Setting(
        "MESHER_STATE_DIR", default: "/var/lib/mesher", for: [.storage, .mesher],
        "where storage keeps what has to survive a restart of the host; only its user may read it")
    package static let binaryDirectory = Setting(
        "MESHER_BIN", default: "", for: [.watchdog],
        "where the programs are; empty means beside the watchdog")
    package static let workers = Setting(
        "MESHER_WORKERS", .integer(0...256), unit: "processes", default: "0", for: [.watchdog],
        "workers for single events; 0 means one for each core")

    package static let workerRequests = Setting(
        "MESHER_WORKER_REQUESTS", .integer(0...1_000_000_000_000), unit: "requests", default: "0", for: [.watchdog],
        "a worker that has answered so many is replaced; 0 means never")
    package static let workerMemory = Setting(
        "MESHER_WORKER_MEMORY", .integer(0...1_048_576), unit: "MiB", default: "0", for: [.watchdog],
        "a worker that holds more memory is replaced; 0 means never")
    package static let stuckExecuting = Setting(
        "MESHER_STUCK_EXECUTING", .integer(1...3_600), unit: "s", default: "5", for: [.watchdog],
        "a process that handles one body for longer is aborted and replaced")
    package static let stuckHeartbeat = Setting(
        "MESHER_STUCK_HEARTBEAT", .integer(3...3_600), unit: "s", default: "30", for: [.watchdog],
        "a process whose loop stands still for longer is aborted and replaced")
    package static let startTimeout = Setting(
        "MESHER_START_TIMEOUT", .integer(1...3_600), unit: "s", default: "60", for: [.watchdog],
        "the watchdog gives up after so long without a ready worker")
    package static let healthInterval = Setting(
        "MESHER_HEALTH_INTERVAL", .integer(1...3_600), unit: "s", default: "10", for: [.watchdog],
        "so often workers, streams and storage are asked whether they answer; they have half of it for that")

    package static let databaseURL = Setting(
        "MESHER_DATABASE_URL", default: "postgresql:///mesher", secret: true, for: [.mesher],
        "PostgreSQL for the operator's commands: the role that owns the schema")
    package static let storageDatabaseURL = Setting(
        "MESHER_STORAGE_DATABASE_URL", default: "postgresql:///mesher?user=mesher_storage", secret: true,
        for: [.storage, .mesher], "PostgreSQL for storage: a role that is a member of mesher_runtime")
    package static let commitEvents = Setting(
        "MESHER_COMMIT_EVENTS", .integer(1...1_000), unit: "events", default: "16", for: [.storage],
        "while events are flowing, a commit begins as soon as so many wait")
    package static let commitDelay = Setting(
        "MESHER_COMMIT_DELAY", .integer(0...10_000), unit: "µs", default: "500", for: [.storage],
        "while events are flowing, a commit begins when the first has waited so long; a lone event waits for nothing")

    package static let spoolDirectory = Setting(
        "MESHER_SPOOL_DIR", default: "", for: [.storage, .mesher],
        "where events wait on disk while PostgreSQL does not take them; empty means spool below MESHER_STATE_DIR")
    package static let spoolLimit = Setting(
        "MESHER_SPOOL_LIMIT", .integer(0...1_048_576), unit: "MiB", default: "4096", for: [.storage, .mesher],
        "the most that spool and quarantine hold; 0 means none: what PostgreSQL does not take is refused")
    package static let spoolShare = Setting(
        "MESHER_SPOOL_SHARE", .integer(1...100), unit: "%", default: "50", for: [.storage],
        "how much of that limit the events of one project may fill")
    package static let spoolAfter = Setting(
        "MESHER_SPOOL_AFTER", .integer(50...4_000), unit: "ms", default: "1000", for: [.storage],
        "events that PostgreSQL has not committed after so long go to the spool")

    package static let redisSocket = Setting(
        "MESHER_REDIS_SOCKET", default: "", for: edges,
        "path of Redis' unix socket; empty means TCP")
    package static let redisHost = Setting(
        "MESHER_REDIS_HOST", default: "127.0.0.1", for: edges, "name or address of Redis, when there is no socket")
    package static let redisPort = Setting(
        "MESHER_REDIS_PORT", .integer(1...65_535), default: "6379", for: edges, "TCP port of Redis")
    package static let redisSentinels = Setting(
        "MESHER_REDIS_SENTINELS", .servers, default: "", for: edges,
        "Sentinels that name Redis' master, host:port parted by commas; empty means none are asked")
    package static let redisMaster = Setting(
        "MESHER_REDIS_MASTER", default: "mesher", for: edges, "what the Sentinels call the master")
    package static let redisSentinelUser = Setting(
        "MESHER_REDIS_SENTINEL_USER", default: "", for: edges,
        "user of the Sentinels' AUTH; empty means the default user")
    package static let redisSentinelPassword = Setting(
        "MESHER_REDIS_SENTINEL_PASSWORD", default: "", secret: true, for: edges,
        "password of the Sentinels' AUTH; empty means none")
    package static let redisUser = Setting(
        "MESHER_REDIS_USER", default: "", for: edges, "user of Redis' AUTH; empty means the default user")
    package static let redisPassword = Setting(
        "MESHER_REDIS_PASSWORD", default: "", secret: true, for: edges,
        "password of Redis' AUTH; empty means none")
    package static let redisDatabase = Setting(
        "MESHER_REDIS_DATABASE", .integer(0...65_535), default: "0", for: edges, "number of the Redis database")
    package static let redisPrefix = Setting(
        "MESHER_REDIS_PREFIX", default: "mesher:limit:", for: edges, "what a rate limit's Redis key begins with")

    package static let rateLimitEvents = Setting(
        "MESHER_RATE_LIMIT_EVENTS", .integer(1...1_000_000_000), unit: "events", default: "1000", for: [.storage],
        "what a project without a limit of its own may send in one window")
    package static let rateLimitSeconds = Setting(
        "MESHER_RATE_LIMIT_SECONDS", .integer(1...86_400), unit: "s", default: "60", for: [.storage],
        "the length of the window of a project without one of its own")
    package static let bulkEvents = Setting(
        "MESHER_BULK_EVENTS", .integer(1...100_000), unit: "events", default: "1000", for: [.worker, .stream],
        "the most events in one bulk request")
    package static let senderAddress = Setting(
        "MESHER_SENDER_ADDRESS", .toggle, default: "off", for: [.worker],
        "on: events of Sentry's programs that leave their user's address open get that of their sender")
    package static let hosts = Setting(
        "MESHER_HOSTS", .integer(1...10_000), default: "1", for: [.storage],
        "hosts that share the limits: while Redis is away each grants limit / hosts")

    package static let requestsInHand = Setting(
        "MESHER_REQUESTS_IN_HAND", .integer(1...10_000), unit: "requests", default: "512", for: [.worker],
        "the most requests a worker has taken and not answered; more wait in the socket")
    package static let bytesInHand = Setting(
        "MESHER_BYTES_IN_HAND", .integer(8...16_384), unit: "MiB", default: "64", for: [.worker],
        "the most bytes of bodies a worker holds before it lets further requests wait in the socket")

    package static let streamAddress = Setting(
        "MESHER_STREAM_ADDRESS", default: "", for: [.watchdog],
        "where WebSocket clients may connect without nginx, such as 127.0.0.1:8081; empty means nowhere")
    package static let streamConnections = Setting(
        "MESHER_STREAM_CONNECTIONS", .integer(1...50_000), unit: "connections", default: "10000", for: [.stream],
        "the most WebSocket connections of this host, each a process")
    package static let streamProjectConnections = Setting(
        "MESHER_STREAM_PROJECT_CONNECTIONS", .integer(1...50_000), unit: "connections", default: "1000",
        for: [.stream], "the most WebSocket connections of one project on this host")
    package static let streamRate = Setting(
        "MESHER_STREAM_RATE", .integer(1...100_000), unit: "connections/s", default: "1000", for: [.stream],
        "the most new WebSocket connections in a second; as many may come at once")
    package static let streamMemory = Setting(
        "MESHER_STREAM_MEMORY", .integer(0...1_048_576), unit: "MiB", default: "0", for: [.stream],
        "the most that WebSocket connections hold together of what clients have sent; 0 means an eighth of the memory")
    package static let streamAge = Setting(
        "MESHER_STREAM_AGE", .integer(1...31_536_000), unit: "s", default: "43200", for: [.stream],
        "a WebSocket connection is closed when it is so old, up to a tenth earlier by chance")
    package static let streamPing = Setting(
        "MESHER_STREAM_PING", .integer(1...30), unit: "s", default: "30", for: [.stream],
        "a WebSocket client is pinged so often, and dropped when it is silent or takes no answer for twice as long")

    package static let publicURL = Setting(
        "MESHER_PUBLIC_URL", default: "http://localhost", for: [.mesher], "what the DSNs printed begin with")
    package static let retentionDays = Setting(
        "MESHER_RETENTION_DAYS", .integer(1...36_500), unit: "days", default: "90", for: [.mesher],
        "how long events are kept, unless their project says less")

    /// Every setting, in the order in which `mesher config` prints them.
    package static let all: [Setting] = [
        runDirectory, stateDirectory, binaryDirectory, workers, workerRequests, workerMemory, stuckExecuting,
        stuckHeartbeat, startTimeout, healthInterval, databaseURL, storageDatabaseURL, commitEvents, commitDelay,
        spoolDirectory, spoolLimit, spoolShare, spoolAfter, redisSocket, redisHost, redisPort,
        redisSentinels, redisMaster, redisSentinelUser, redisSentinelPassword, redisUser, redisPassword,
        redisDatabase, redisPrefix, rateLimitEvents, rateLimitSeconds, bulkEvents, senderAddress, hosts, requestsInHand,
        bytesInHand, streamAddress, streamConnections, streamProjectConnections, streamRate, streamMemory,
        streamAge, streamPing, publicURL,
        retentionDays,
    ]
}
