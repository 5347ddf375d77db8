import Configuration
import Glibc
import PostgreSQL
import Spool

/// The settings of this process, in the units it works with.
struct StorageConfiguration {
    let socketPath: String
    /// Where this host's windows of the limits are.
    let quotaPath: String
    let stateDirectory: String
    let databaseURL: String
    /// By which the database that the URL means is known again.
    let databasePlaces: [String]
    /// Connections to PostgreSQL for single events, and for bulks.
    let commitConnections: Int
    let bulkConnections: Int
    let commitEvents: Int
    /// Nanoseconds.
    let commitDelay: Int64
    /// The limit of a project that has none of its own.
    let defaultLimit: (events: UInt32, seconds: UInt32)
    let hosts: Int
    let spoolDirectory: String
    /// Nil when nothing may be kept on disk.
    let spoolLimits: SpoolDirectory.Limits?
    /// Nanoseconds.
    let spoolAfter: Int64
    /// Microseconds.
    let midnightMargin: Int64
    let stopSignals: [CInt]

    /// - Parameter isSupervised: the watchdog decides when to stop; ^C at a terminal goes to all processes at once, and
    ///   edges still need storage then.
    ///
    /// Throws when the database's URL cannot be understood.
    init(_ settings: Settings, isSupervised: Bool) throws(DatabaseError) {
        socketPath = settings.text(.runDirectory) + "/storage.sock"
        quotaPath = settings.text(.runDirectory) + "/quota"
        stateDirectory = settings.text(.stateDirectory)
        databaseURL = settings.text(.storageDatabaseURL)
        databasePlaces = try ConnectionURL(databaseURL).places
        commitConnections = settings.integer(.commitConnections)
        bulkConnections = settings.integer(.bulkConnections)
        commitEvents = settings.integer(.commitEvents)
        defaultLimit = (
            UInt32(clamping: settings.integer(.rateLimitEvents)), UInt32(clamping: settings.integer(.rateLimitSeconds))
        )
        hosts = settings.integer(.hosts)
        spoolDirectory = settings.spoolDirectory
        let limit = settings.integer(.spoolLimit) << 20
        spoolLimits =
            limit == 0
            ? nil : SpoolDirectory.Limits(bytes: limit, projectBytes: limit / 100 * settings.integer(.spoolShare))
        spoolAfter = Int64(settings.integer(.spoolAfter)) * 1_000_000
        commitDelay = min(Int64(settings.integer(.commitDelay)) * 1_000, spoolAfter / 2)
        midnightMargin = Int64(settings.integer(.midnightMargin)) * 1_000_000
        stopSignals = isSupervised ? [SIGTERM] : [SIGTERM, SIGINT]
    }
}
