import Logging
import PostgreSQL
import Scoreboard
import StorageChannel
import Synchronization
import Testing

@testable import mesher_storage

@Suite struct CommitReportTests {
    /// Keeps each line: the message, then its metadata.
    private struct Recorder: LogHandler {
        final class Lines: Sendable {
            private let lines = Mutex<[String]>([])
            var all: [String] { lines.withLock { $0 } }
            func append(_ line: String) { lines.withLock { $0.append(line) } }
        }

        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let pairs = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            lines.append(([event.message.description] + pairs).joined(separator: " "))
        }
    }

    private let lines = Recorder.Lines()

    private func report() throws -> CommitReport {
        try CommitReport(Logger(label: "test") { _ in Recorder(lines: lines) }, .unseen())
    }

    @Test("the same loss is told once, and again after a connection")
    func loss() throws {
        var report = try report()
        let error = DatabaseError(operation: "connect", message: "refused", isConnectionLost: true)
        report.lost(error, now: 0)
        report.lost(error, now: 1)
        #expect(lines.all == ["PostgreSQL does not take events reason=PostgreSQL: connect: refused"])
        report.connected()
        report.lost(error, now: 2)
        #expect(lines.all.count == 3)
        report.lost(DatabaseError(operation: "connect", message: "password", isConnectionLost: true), now: 3)
        report.lost(error, now: 4)
        #expect(lines.all.count == 4)
        report.lost(error, now: 3 + ToldReasons.reminder)
        #expect(lines.all.count == 5)
    }

    @Test("events that are not stored make one line a second, without PostgreSQL's message")
    func notStored() throws {
        var report = try report()
        var batch = Batch()
        for project in 1...3 { batch.append(TestEvent(project: Int64(project))) }
        let error = DatabaseError(operation: "execute", sqlState: "22P02", message: "secret")
        report.notStored(error, batch.entries[0..<1], now: 0)
        report.notStored(error, batch.entries[1..<3], now: 999_999_999)
        report.notStored(error, batch.entries[2..<3], now: 1_000_000_000)
        #expect(
            lines.all == [
                "events not stored events=1 project=1 sqlstate=22P02",
                "events not stored events=1 project=3 sqlstate=22P02 unreported=2",
            ])
    }
}
