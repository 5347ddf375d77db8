import Logging
import Spool
import System

/// Keeps the snapshot of the keys on disk as they change, and reads it when PostgreSQL cannot be asked.
///
/// Writing waits for the disk: so that it takes a small share of storage's time, many keys are written part by part, and the
/// next time comes the later the longer this one took. When it fails it is tried again; the keys in memory are as good as before.
struct KeyArchive: ~Copyable {
    /// A snapshot that is half written. What changes meanwhile may be in it or not.
    private struct Writing: ~Copyable {
        private static let keysInPart = 8_000

        private let file: DurableFile
        private let replacement: ReplacedFile
        private var encoder: KeySnapshotEncoder
        private var bucket = 0
        /// Nanoseconds that it has taken so far.
        var spent: Int64 = 0

        init(_ file: DurableFile, places: [String]) throws(SystemError) {
            self.file = file
            replacement = try file.begin()
            encoder = KeySnapshotEncoder(places: places)
        }

        /// Writes one more part; whether there are others.
        mutating func proceed(_ table: KeyTable) throws(SystemError) -> Bool {
            var count = 0
            while bucket < KeyTable.bucketCount, count < Self.keysInPart {
                table.forEachKey(inBucket: bucket) { key, quota, end in
                    encoder.append(key, quota, until: end)
                    count += 1
                }
                bucket += 1
            }
            let hasMore = bucket < KeyTable.bucketCount
            try replacement.append(encoder.take())
            if hasMore { try replacement.synchronize() }
            return hasMore
        }

        consuming func complete() throws(SystemError) {
            try replacement.append(encoder.finish())
            try file.complete(replacement)
        }
    }

    /// Nanoseconds from the first change to the writing: changes come together.
    private static let delay: Int64 = 100_000_000
    /// How many times as long as a part took passes before the next one, and as all of it took before the next time.
    private static let partPause: Int64 = 4
    private static let pause: Int64 = 20
    /// Nanoseconds after a failure.
    private static let retry: Int64 = 10_000_000_000

    private let file: DurableFile
    private let places: [String]
    private let logger: Logger
    private var writing: Writing?
    private var hasChangedMeanwhile = false
    private var mayWriteAt: Int64 = .min
    private var faults = ToldReasons()
    /// When the keys are written, or some more of them; nil while the file has them as they are.
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
    func read() -> KeyTable? {
        Self.read(file, places, logger)
    }

    private static func read(_ file: DurableFile, _ places: [String], _ logger: Logger) -> KeyTable? {
        do {
            guard let bytes = try file.read() else {
                logger.warning("no key is known until PostgreSQL answers", metadata: ["missing": "\(file.path)"])
                return nil
            }
            var table = try table(bytes, places)
            table.completeLoading()
            let counts = table.counts
            logger.warning(
                "keys are as last read from PostgreSQL",
                metadata: ["keys": "\(counts.known)", "revoked": "\(counts.revoked)"])
            return table
        } catch {
            logger.error(
                "the snapshot of keys is ignored: no key is known until PostgreSQL answers",
                metadata: ["path": "\(file.path)", "reason": "\(error)"])
            return nil
        }
    }

    /// The keys by which events were last accepted, of whatever database; nil when that cannot be told.
    func former() -> KeyTable? {
        guard let bytes = try? file.read() else { return nil }
        return try? Self.table(bytes, nil)
    }

    private static func table(_ bytes: [UInt8], _ places: [String]?) throws(KeySnapshot.Fault) -> KeyTable {
        // Not thrown out of the closure: for one that returns nothing the compiler dies of that (Swift 6.3.1).
        let result: Result<KeyTable, KeySnapshot.Fault> = bytes.withUnsafeBytes { bytes in
            var table = KeyTable()
            do throws(KeySnapshot.Fault) {
                try KeySnapshot.forEachKey(in: bytes, places: places) { table.load($0, $1, until: $2) }
                return .success(table)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// The keys have changed.
    mutating func note(now: Int64) {
        if deadline == nil { deadline = max(now + Self.delay, mayWriteAt) }
        hasChangedMeanwhile = true
    }

    /// Writes the keys, or a part of them, when it is time to.
    mutating func elapse(now: Int64, _ table: KeyTable) {
        guard let deadline, deadline <= now else { return }
        attempt(now: now) { archive throws(SystemError) in try archive.writePart(table) }
    }

    /// Writes the keys if they have changed: the process ends.
    mutating func finish(now: Int64, _ table: KeyTable) {
        guard deadline != nil else { return }
        writing = nil
        attempt(now: now) { archive throws(SystemError) in
            repeat { try archive.writePart(table) } while archive.isWriting
        }
    }

    /// A switch, since comparing an optional of what cannot be copied with nil has been seen to destroy it (Swift 6.3.1).
    private var isWriting: Bool {
        switch writing {
        case .some: true
        case nil: false
        }
    }

    private mutating func writePart(_ table: KeyTable) throws(SystemError) {
        let begun = Clock.monotonic()
        if !isWriting {
            hasChangedMeanwhile = false
            writing = try Writing(file, places: places)
        }
        guard var part = writing.take() else { return }
        let hasMore = try part.proceed(table)
        let spent = part.spent + Clock.monotonic() - begun
        if hasMore {
            let end = Clock.monotonic()
            part.spent = spent
            writing = consume part
            deadline = end + Self.partPause * (end - begun)
        } else {
            try part.complete()
            let end = Clock.monotonic()
            mayWriteAt = end + Self.pause * (spent + end - begun)
            deadline = hasChangedMeanwhile ? mayWriteAt : nil
            if !faults.isEmpty { logger.notice("keys are saved to disk again") }
            faults.end()
        }
    }

    private mutating func attempt(now: Int64, _ body: (inout KeyArchive) throws(SystemError) -> Void) {
        do {
            try body(&self)
        } catch {
            writing = nil
            deadline = now + Self.retry
            if faults.tells("\(error)", now: now) {
                let consequence = "a restart while PostgreSQL is away would know none, or old ones"
                logger.error(
                    "keys cannot be saved to disk", metadata: ["reason": "\(error)", "consequence": "\(consequence)"])
            }
        }
    }
}
