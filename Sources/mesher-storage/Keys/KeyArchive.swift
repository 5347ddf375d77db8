import EventLoop
import Logging
import Spool

/// Keeps the snapshot of the keys on disk as they change, and reads it when PostgreSQL cannot be asked.
///
/// Writing waits for the disk: so that it takes a small share of storage's time, the next one waits the longer the longer
/// this one took. When it fails it is tried again; the keys in memory are as good as before.
struct KeyArchive {
    /// Nanoseconds from the first change to the writing: changes come together.
    private static let delay: Int64 = 100_000_000
    /// How many times as long as a writing took passes before the next one.
    private static let pause: Int64 = 20
    /// Nanoseconds after a failure.
    private static let retry: Int64 = 10_000_000_000

    private let file: DurableFile
    private let places: [String]
    private let logger: Logger
    private var mayWriteAt: Int64 = .min
    private var faults = ToldReasons()
    /// When the keys are written; nil while the file has them as they are.
    private(set) var deadline: Int64?

    /// - Parameters:
    ///   - folder: where the file `keys` is.
    ///   - places: those of the database that the keys are of, `ConnectionURL.places`.
    init(folder: String, places: [String], logger: Logger) {
        file = DurableFile(path: folder + "/keys")
        self.places = places
        self.logger = logger
    }

    /// The keys as they were last written; nil, and a line in the log, when there is no file or it cannot be used.
    func read() -> KeySnapshot? {
        do {
            guard let bytes = try file.read() else {
                logger.warning("no key is known until PostgreSQL answers", metadata: ["missing": "\(file.path)"])
                return nil
            }
            let snapshot = try bytes.withUnsafeBytes { bytes throws(KeySnapshot.Fault) in
                try KeySnapshot(decoding: bytes, places: places)
            }
            logger.warning(
                "keys are as last read from PostgreSQL",
                metadata: ["keys": "\(snapshot.quotas.count)", "revoked": "\(snapshot.revoked.count)"])
            return snapshot
        } catch {
            logger.error(
                "the snapshot of keys is ignored: no key is known until PostgreSQL answers",
                metadata: ["path": "\(file.path)", "reason": "\(error)"])
            return nil
        }
    }

    /// The keys by which events were last accepted, of whatever database; nil when that cannot be told.
    func former() -> KeySnapshot? {
        guard let bytes = try? file.read() else { return nil }
        return bytes.withUnsafeBytes { try? KeySnapshot(decoding: $0, places: nil) }
    }

    /// The keys have changed.
    mutating func note(now: Int64) {
        if deadline == nil { deadline = max(now + Self.delay, mayWriteAt) }
    }

    /// Writes the keys when it is time to.
    mutating func elapse(now: Int64, _ snapshot: @autoclosure () -> KeySnapshot) {
        guard let deadline, deadline <= now else { return }
        write(snapshot(), now: now)
    }

    /// Writes the keys if they have changed: the process ends.
    mutating func finish(now: Int64, _ snapshot: @autoclosure () -> KeySnapshot) {
        if deadline != nil { write(snapshot(), now: now) }
    }

    private mutating func write(_ snapshot: KeySnapshot, now: Int64) {
        let begun = Clock.monotonic()
        do {
            try file.replace(with: snapshot.encoded(places: places))
            let end = Clock.monotonic()
            mayWriteAt = end + Self.pause * (end - begun)
            deadline = nil
            if !faults.isEmpty { logger.notice("keys are saved to disk again") }
            faults.end()
        } catch {
            deadline = now + Self.retry
            if faults.tells("\(error)", now: now) {
                let consequence = "a restart while PostgreSQL is away would know none, or old ones"
                logger.error(
                    "keys cannot be saved to disk", metadata: ["reason": "\(error)", "consequence": "\(consequence)"])
            }
        }
    }
}
