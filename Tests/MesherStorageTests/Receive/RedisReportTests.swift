import Logging
import Synchronization
import Testing

@testable import mesher_storage

@Suite struct RedisReportTests {
    /// Keeps what is logged.
    private final class Lines: LogHandler, Sendable {
        let messages = Mutex<[String]>([])
        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }
        var logLevel: Logger.Level {
            get { .info }
            set {}
        }
        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { nil }
            set {}
        }
        func log(event: LogEvent) { messages.withLock { $0.append("\(event.level) \(event.message)") } }
        var texts: [String] { messages.withLock { $0 } }
    }

    private let lines = Lines()
    private let second: Int64 = 1_000_000_000
    private let away = "warning Redis is down: limits are counted by this host alone"
    private let back = "notice Redis is back: limits are counted there again"

    private var logger: Logger { Logger(label: "test") { _ in lines } }

    /// A table without edges: each that was noted counts as gone.
    private func table() -> EdgeTable { EdgeTable(firstToken: 16, logger: logger) }

    @Test("any number of edges that lose Redis are one line, and so is its return")
    func once() {
        var report = RedisReport(logger)
        for edge in 0..<100 { report.note("no answer within 50 ms", of: UInt64(edge), now: 0) }
        #expect(report.isDegraded && lines.texts == [away])
        for edge in 0..<99 { report.note(nil, of: UInt64(edge), now: 0) }
        #expect(report.isDegraded, "one is still without")
        report.note(nil, of: 99, now: 1)
        #expect(!report.isDegraded)
        report.elapse(now: 1 + RedisReport.calm - 1, table())
        #expect(lines.texts == [away])
        report.elapse(now: 1 + RedisReport.calm, table())
        report.elapse(now: 3 * RedisReport.calm, table())
        #expect(lines.texts == [away, back])
    }

    @Test("a Redis that comes and goes is no line each time")
    func flapping() {
        var report = RedisReport(logger)
        for moment in 0..<100 {
            report.note(moment.isMultiple(of: 2) ? "late" : nil, of: 1, now: Int64(moment) * second)
            report.elapse(now: Int64(moment) * second, table())
        }
        #expect(lines.texts == [away])
    }

    @Test("each other reason is a line, once, also when there are very many")
    func reasons() {
        var report = RedisReport(logger)
        for reason in ["refused", "late", "WRONGPASS", "late"] { report.note(reason, of: 1, now: 0) }
        #expect(lines.texts == [away, away, away])
        for number in 0..<100 { report.note("reason \(number)", of: 1, now: 0) }
        #expect(lines.texts.count == 10)
    }

    @Test("an edge that is gone is not waited for")
    func gone() {
        var report = RedisReport(logger)
        report.note("late", of: 1, now: 0)
        report.elapse(now: second, table())
        #expect(!report.isDegraded)
        report.elapse(now: second + RedisReport.calm, table())
        #expect(lines.texts == [away, back])
    }

    @Test("a Redis that evicts is a line with its policy, and one when it does so no more")
    func eviction() {
        var report = RedisReport(logger)
        for edge in 1...9 { report.note(eviction: "allkeys-lru", of: UInt64(edge), now: 0) }
        #expect(report.isEvicting && !report.isDegraded)
        #expect(lines.texts.count == 1 && lines.texts[0].contains("Redis may evict counters"))
        for edge in 1...9 { report.note(eviction: nil, of: UInt64(edge), now: 1) }
        #expect(!report.isEvicting && lines.texts.last == "notice Redis no longer evicts counters")
    }
}
