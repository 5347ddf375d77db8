internal import Glibc
package import System

/// How the last `mesher db maintain` on this host ended: the file `maintenance` in the run directory, for the metrics. It is
/// gone after a boot.
package struct MaintenanceRecord: Equatable, Sendable {
    package enum Result: String, CaseIterable, Sendable {
        /// Everything was done.
        case complete
        /// A transaction still read something, which is left for the next run.
        case partial
        case failed
    }

    /// When it ended, in seconds since 1970.
    package let at: Int64
    package let result: Result

    package init(at: Int64, _ result: Result) {
        self.at = at
        self.result = result
    }

    init?(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let at = Int64(words[0]), at >= 0, let result = Result(rawValue: String(words[1]))
        else {
            return nil
        }
        self.init(at: at, result)
    }

    package static func path(in runDirectory: String) -> String {
        runDirectory + "/maintenance"
    }

    /// Nil when none has ended here since the boot.
    package static func read(in runDirectory: String) -> MaintenanceRecord? {
        guard let file = fopen(path(in: runDirectory), "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = fread(&bytes, 1, bytes.count, file)
        return MaintenanceRecord(String(decoding: bytes.prefix(count), as: UTF8.self))
    }

    /// Replaces the file.
    package func write(in runDirectory: String) throws(SystemError) {
        try ReplacedFile.write("\(at) \(result.rawValue)\n", to: Self.path(in: runDirectory), mode: 0o644)
    }
}
