import Foundation
import Testing

@testable import Configuration

struct DrainOrderTests {
    @Test("An order is found as it was given, until it is taken back")
    func given() throws {
        let folder = "/tmp/mesher-drain.\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try DrainOrder.read(in: folder) == nil)
        let order = DrainOrder(at: 1_700_000_000_000_000, by: "root")
        try order.give(in: folder)
        #expect(try DrainOrder.read(in: folder) == order)
        try DrainOrder.takeBack(in: folder)
        try DrainOrder.takeBack(in: folder)
        #expect(try DrainOrder.read(in: folder) == nil)
    }

    @Test(
        "Whatever is in the file, it is an order", arguments: ["", "\n", "nonsense", "1", "99999999999999999999 a b"])
    func damaged(text: String) throws {
        let folder = "/tmp/mesher-drain.\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(text.utf8).write(to: URL(fileURLWithPath: DrainOrder.path(in: folder)))
        #expect(try DrainOrder.read(in: folder) != nil)
    }
}
