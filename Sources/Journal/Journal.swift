internal import Glibc
package import Logging
internal import Synchronization

/// A program's log: one line per entry on standard error, a constant message followed by `key=value` pairs.
///
/// Under systemd (`JOURNAL_STREAM` names this very standard error) each line begins with a priority, sd-daemon(3),
/// otherwise with the time. Writing never waits: a line that does not fit into a full pipe is dropped and counted, and
/// the next line that fits reports the count.
package struct Journal: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level = .info
    private let label: String
    private let hasPriorities: Bool
    private let listener: Listener?

    /// Is told of each entry: its level, and the message with its pairs.
    package typealias Listener = @Sendable (Logger.Level, String) -> Void

    /// Whether the lines of this process begin with their priorities.
    package static let hasPriorities = standardErrorIsJournal()

    /// The logger of a program.
    package static func logger(_ label: String, listener: Listener? = nil) -> Logger {
        Logger(label: label) { Journal(label: $0, listener: listener) }
    }

    private init(label: String, listener: Listener?) {
        self.label = label
        self.listener = listener
        hasPriorities = Self.hasPriorities
    }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = hasPriorities ? "<\(Self.priority(event.level))>" : "\(LogTime.now()) "
        var text = "\(event.message)"
        let pairs = metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 })
        for (key, value) in pairs.sorted(by: { $0.key < $1.key }) {
            text += " \(key)=\(Self.quoted("\(value)"))"
        }
        listener?(event.level, text)
        line += "\(label)[\(getpid())]: \(event.level): \(text)"
        Self.write(line + "\n")
    }

    private static func quoted(_ value: String) -> String {
        let needsQuotes = value.isEmpty || value.utf8.contains { $0 <= 0x20 || $0 == 0x22 || $0 == 0x7f }
        guard needsQuotes else { return value }
        let escaped = value.unicodeScalars.map { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\n": "\\n"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f: "?"
            default: String(scalar)
            }
        }
        return "\"\(escaped.joined())\""
    }

    /// syslog(3)'s numbers.
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private static func standardErrorIsJournal() -> Bool {
        guard let stream = getenv("JOURNAL_STREAM") else { return false }
        var status = stat()
        guard fstat(STDERR_FILENO, &status) == 0 else { return false }
        return String(cString: stream) == "\(status.st_dev):\(status.st_ino)"
    }

    /// The lines that this process has dropped.
    package static var droppedLines: Int { droppedInAll.load(ordering: .relaxed) }

    private static let droppedInAll = Atomic<Int>(0)
    private static let dropped = Atomic<Int>(0)

    private static func write(_ line: String) {
        var waiting = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        guard poll(&waiting, 1, 0) == 1 else {
            dropped.add(1, ordering: .relaxed)
            droppedInAll.add(1, ordering: .relaxed)
            return
        }
        let missing = dropped.exchange(0, ordering: .relaxed)
        var text = missing == 0 ? line : "(\(missing) lines dropped) \(line)"
        // A pipe that is writable takes PIPE_BUF bytes at once, pipe(7).
        text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, min($0.count, Int(PIPE_BUF))) }
    }
}
