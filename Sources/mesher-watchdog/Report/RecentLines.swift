internal import Logging
internal import Synchronization

/// The latest lines of the log that an operator should see, of the watchdog and of its children. Notices make room first,
/// so that no flood of them hides an error. A line that comes again is counted.
final class RecentLines: Sendable {
    struct Line: Equatable {
        /// When it was last logged, in microseconds since 1970.
        var at: Int64
        let level: Logger.Level
        /// Empty when it is not known.
        let program: String
        let text: String
        var count = 1
    }

    static let capacity = 24
    /// The most bytes of a line that are kept.
    private static let limit = 400

    private let lines = Mutex<[Line]>([])

    /// The one that was logged last comes last.
    var all: [Line] { lines.withLock { $0 } }

    /// Takes a line that a child has written, without its priority or time, if it is one to remember. What a child writes
    /// may be anything.
    ///
    /// - Parameter wall: now, in microseconds since 1970.
    func note(_ bytes: some Collection<UInt8>, wall: Int64) {
        let line = String(decoding: bytes.prefix(Self.limit), as: UTF8.self)
        // "mesher-storage[123]: warning: …"
        let parts = line.split(separator: ": ", maxSplits: 2).map(String.init)
        if parts.count == 3, let level = Logger.Level(rawValue: parts[1]) {
            let name = parts[0].split(separator: " ").last ?? ""
            note(level, String(name.prefix { $0 != "[" }), parts[2], wall: wall)
        } else if line.contains("Fatal error: ") {
            // Swift's runtime.
            note(.critical, "", line, wall: wall)
        }
    }

    func note(_ level: Logger.Level, _ program: String, _ text: String, wall: Int64) {
        guard level >= .notice else { return }
        lines.withLock { lines in
            var line = Line(at: wall, level: level, program: program, text: text)
            if let place = lines.firstIndex(where: { $0.level == level && $0.program == program && $0.text == text }) {
                line.count = lines.remove(at: place).count &+ 1
            }
            lines.append(line)
            guard lines.count > Self.capacity, let least = lines.map(\.level).min() else { return }
            if let place = lines.firstIndex(where: { $0.level == least }) { lines.remove(at: place) }
        }
    }
}
