import Foundation
import Journal
import Testing

struct LogTimeTests {
    @Test(
        "The time of a line is that of the calendar",
        arguments: [
            0, 951_782_399_999, 951_782_400_000, 951_868_800_000, 1_709_164_800_007, 1_796_079_600_123,
            4_107_542_400_000, 253_402_300_799_999,
        ])
    func calendar(milliseconds: Int64) {
        let formatter = ISO8601DateFormatter()
        let time = LogTime(milliseconds: milliseconds).description
        let second = formatter.string(from: Date(timeIntervalSince1970: Double(milliseconds / 1_000))).dropLast()
        #expect(time.hasPrefix(second + "."))
        #expect(time.hasSuffix(String(format: ".%03dZ", milliseconds % 1_000)))
        #expect(LogTime.begins(Array("\(time) mesher".utf8)))
    }

    @Test(
        "Another beginning is none",
        arguments: ["", "<4>word", "2026-11-28T08:51:53.123Z", "2026-11-28 08:51:53.123Z m"])
    func others(line: String) {
        #expect(!LogTime.begins(Array(line.utf8)))
    }
}
