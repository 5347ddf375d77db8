internal import FoundationEssentials

/// The file `status.json` of a run directory, as the watchdog writes it each second. Times are seconds since 1970,
/// durations and ages seconds.
struct StatusDocument: Decodable {
    struct Process: Decodable {
        let role: String
        let name: String
        let pid: Int?
        let state: String
        let startedAt: Double?
        /// When a process that is waited for is started.
        let startsAt: Double?
        let restarts: UInt64
        let requestsPerSecond: Double
        let inHand: Int
        let memoryBytes: Int64?
        let executingFor: Double?
    }

    struct Events: Decodable {
        let accepted: UInt64
        let discarded: [String: UInt64]
    }

    struct Storage: Decodable {
        /// Whether an event can be stored.
        let ready: Bool
        /// What is impaired.
        let degraded: [String]
        let lastCommitAt: Double?
        let partitionsAhead: Int?
        /// Nil when no storage runs.
        let spool: Spool?
    }

    struct Spool: Decodable {
        let events: UInt64
        /// Of the quarantine as well.
        let bytes: Int64
        let limitBytes: Int64
        let oldestReceivedAt: Double?
        let quarantine: Int
        /// What its file system has left; nil where that is unknown.
        let availableBytes: Int64?
        let availableInodes: Int64?
        /// Why it cannot be used.
        let fault: String?
    }

    struct Health: Decodable {
        let at: Double
        let duration: Double
        let failuresInRow: Int
    }

    struct Reload: Decodable {
        let at: Double
        let succeeded: Bool
    }

    let version: String
    let writtenAt: Double
    let processes: [Process]
    let events: Events
    let dependencies: [String: Bool]
    let storage: Storage
    let health: [String: Health]
    let lastReload: Reload?

    /// Seconds without a write after which the watchdog is gone or hangs.
    static let staleAfter = 10.0

    /// - Throws: `CommandError` when the text is not what this version of the watchdog writes.
    init(_ text: String, path: String) throws(CommandError) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(StatusDocument.self, from: Data(text.utf8))
        } catch {
            throw CommandError(.software, "\(path): written by another version of the watchdog")
        }
    }
}
