import Foundation
import System
import Testing

@testable import Configuration

struct MaintenanceRecordTests {
    @Test("What is written is read again, by others too, and takes the place of a link without following it")
    func file() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(MaintenanceRecord.read(in: folder.path) == nil)
        let victim = folder.appendingPathComponent("victim")
        try Data("precious".utf8).write(to: victim)
        try FileManager.default.createSymbolicLink(
            at: folder.appendingPathComponent("maintenance.new"), withDestinationURL: victim)
        for result in MaintenanceRecord.Result.allCases {
            let record = MaintenanceRecord(at: 1_764_345_600, result)
            try record.write(in: folder.path)
            #expect(MaintenanceRecord.read(in: folder.path) == record)
        }
        #expect(try String(contentsOf: victim, encoding: .utf8) == "precious")
        var status = stat()
        #expect(stat(MaintenanceRecord.path(in: folder.path), &status) == 0 && status.st_mode & 0o777 == 0o644)
        #expect(throws: SystemError.self) {
            try MaintenanceRecord(at: 1, .failed).write(in: folder.path + "/absent")
        }
    }

    @Test("Anything else is no record", arguments: ["", "1", "1 done", "-1 complete", "x complete", "1 complete 2"])
    func other(text: String) {
        #expect(MaintenanceRecord(text) == nil)
    }
}
