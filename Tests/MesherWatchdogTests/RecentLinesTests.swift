import Logging
import Testing

@testable import mesher_watchdog

struct RecentLinesTests {
    private let lines = RecentLines()

    private func note(_ text: String, wall: Int64 = 0) {
        lines.note(Array(text.utf8), wall: wall)
    }

    @Test(
        "A child's notices, warnings and errors are kept with their program, and what is less or is no line of a log is not"
    )
    func levels() {
        note("mesher-storage[12]: warning: Redis is down reason=\"a: b\"", wall: 5)
        note("mesher-worker[13]: info: ready")
        note("mesher-worker[13]: debug: x")
        note("(3 lines dropped) mesher-stream[14]: error: no")
        note("anything at all")
        note("")
        note("mesher_worker/Worker.swift:3: Fatal error: Index out of range")
        #expect(lines.all.map(\.program) == ["mesher-storage", "mesher-stream", ""])
        #expect(
            lines.all[0]
                == .init(at: 5, level: .warning, program: "mesher-storage", text: "Redis is down reason=\"a: b\""))
        #expect(lines.all[2].level == .critical)
    }

    @Test("A line that comes again is counted, and is the newest")
    func repeated() {
        note("mesher-storage[12]: warning: one", wall: 1)
        note("mesher-storage[12]: warning: two", wall: 2)
        note("mesher-storage[99]: warning: one", wall: 3)
        #expect(lines.all.map(\.text) == ["two", "one"])
        #expect(lines.all.map(\.count) == [1, 2] && lines.all.map(\.at) == [2, 3])
    }

    @Test("Notices make room for errors, errors for those that come after them, and the oldest goes first")
    func room() {
        for number in 0..<RecentLines.capacity { note("p[1]: notice: \(number)") }
        note("p[1]: error: kept")
        #expect(lines.all.count == RecentLines.capacity)
        #expect(lines.all.first?.text == "1" && lines.all.last?.text == "kept")
        for number in 0..<100 { note("p[1]: notice: again \(number)") }
        #expect(lines.all.contains { $0.text == "kept" } && lines.all.last?.text == "again 99")
        for number in 0..<100 { note("p[1]: error: \(number)") }
        #expect(lines.all.allSatisfy { $0.level == .error } && lines.all.first?.text == "76")
    }

    @Test("A line of any bytes and length takes bounded room")
    func bounded() {
        lines.note([UInt8]("p[1]: error: ".utf8) + [UInt8](repeating: 0xff, count: 100_000), wall: .max)
        #expect(lines.all[0].text.utf8.count < 1_500)
    }
}
