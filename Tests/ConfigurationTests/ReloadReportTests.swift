import Foundation
import Testing

@testable import Configuration

struct ReloadReportTests {
    @Test("What was written is read again", arguments: [nil, "mesher.conf:3: MESHER_X: no such setting"])
    func roundTrip(failure: String?) throws {
        let folder = NSTemporaryDirectory() + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(ReloadReport.read(in: folder) == nil)
        let report = ReloadReport(begun: 42, failure: failure)
        try report.write(in: folder)
        #expect(ReloadReport.read(in: folder) == report)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["reload"])
    }

    @Test("What is no report is none", arguments: ["", "\n", "ok", "x ok", "5", "5 maybe"])
    func nonsense(text: String) {
        #expect(ReloadReport(text) == nil)
    }
}
