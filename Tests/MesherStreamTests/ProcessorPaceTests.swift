import Glibc
import Scoreboard
import System
import Testing

@testable import mesher_stream

struct ProcessorPaceTests {
    private let table: SessionTable
    /// As much as a project with all processors of the host to itself uses.
    private let everything = Double(sysconf(CInt(_SC_NPROCESSORS_ONLN))) * SessionShare.lifetime

    init() throws {
        table = try SessionTable.unseen()
    }

    private func session(_ project: Int64) throws -> Int {
        let record = try #require(table.reserve(owner: 0))
        try #require(table.enter(record, project: project, limit: 100))
        return record
    }

    private func pace(_ project: Int64) throws -> ProcessorPace {
        let pace = ProcessorPace(table, record: try session(project), now: Clock.monotonic())
        pace.project = project
        // As much as is worth a look at the others.
        let start = Clock.processor()
        while Clock.processor() - start < 1_000_000 {}
        return pace
    }

    @Test("A message that grows looks each 64 KiB whether its project uses too much, and waits while it does")
    func growth() throws {
        let now = Clock.monotonic()
        table.used(try session(7), nanoseconds: Int64(everything), now: now)
        let pace = try pace(7)
        pace.grew(to: (64 << 10) - 1)
        #expect(pace.restsUntil == .min)
        pace.grew(to: 64 << 10)
        #expect(pace.restsUntil > now)
        #expect(Clock.monotonic() >= pace.restsUntil)
    }

    @Test("It goes on at once when it is another project that uses much")
    func others() throws {
        table.used(try session(8), nanoseconds: Int64(everything), now: Clock.monotonic())
        let pace = try pace(7)
        pace.grew(to: 1 << 20)
        #expect(pace.restsUntil > .min && pace.restsUntil <= Clock.monotonic())
        #expect(pace.allows(now: Clock.monotonic()))
    }

    @Test("No message is taken while the session rests")
    func messages() throws {
        let now = Clock.monotonic() + 10_000_000
        table.used(try session(7), nanoseconds: Int64(everything), now: now)
        let pace = try pace(7)
        #expect(!pace.allows(now: now))
        #expect(pace.restsUntil > now)
    }
}
