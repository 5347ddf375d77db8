internal import Glibc
package import System

/// How the last reload ended: the file `reload` in the run directory, by which the watchdog answers `mesher reload`. One
/// line, `<nanoseconds> ok` or `<nanoseconds> failed <why>`.
package struct ReloadReport: Equatable, Sendable {
    /// When the watchdog began to read the configuration, by the monotonic clock that all processes share. A reload
    /// that began after the request answers it; an earlier one does not.
    package let begun: Int64
    /// Why it failed; nil when it succeeded.
    package let failure: String?

    package init(begun: Int64, failure: String?) {
        self.begun = begun
        self.failure = failure
    }

    package init?(_ text: String) {
        let line = text.prefix { $0 != "\n" }
        let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, let begun = Int64(words[0]) else { return nil }
        self.begun = begun
        switch words[1] {
        case "ok": failure = nil
        case "failed": failure = words.count > 2 ? String(words[2]) : ""
        default: return nil
        }
    }

    package var text: String {
        "\(begun) " + (failure.map { "failed \($0)" } ?? "ok") + "\n"
    }

    package static func path(in runDirectory: String) -> String {
        runDirectory + "/reload"
    }

    /// The report of a run directory; nil when there was no reload.
    package static func read(in runDirectory: String) -> ReloadReport? {
        let number = open(path(in: runDirectory), O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        defer { close(number) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(number, &bytes, bytes.count)
        return ReloadReport(String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self))
    }

    /// Replaces the report.
    package func write(in runDirectory: String) throws(SystemError) {
        try ReplacedFile.write(text, to: Self.path(in: runDirectory), mode: 0o644)
    }
}
