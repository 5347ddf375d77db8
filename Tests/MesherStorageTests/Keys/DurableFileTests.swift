import Foundation
import Testing

@testable import mesher_storage

@Suite struct DurableFileTests {
    /// Calls `body` with a folder that is removed afterwards.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = "/tmp/mesher-df.\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test("what was written last is read, and nobody else may read it")
    func replace() throws {
        try withFolder { folder in
            let file = DurableFile(path: folder + "/keys")
            #expect(try file.read() == nil)
            try file.replace(with: [1, 2, 3])
            try file.replace(with: Array(repeating: 7, count: 1 << 20))
            #expect(try file.read()?.count == 1 << 20)
            let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["keys"])
        }
    }

    @Test("what a crash has left beside it is in nobody's way, whatever it is")
    func leftover() throws {
        try withFolder { folder in
            let file = DurableFile(path: folder + "/keys")
            try FileManager.default.createSymbolicLink(
                atPath: file.path + ".new", withDestinationPath: folder + "/elsewhere")
            try file.replace(with: [1])
            #expect(try file.read() == [1])
            #expect(!FileManager.default.fileExists(atPath: folder + "/elsewhere"))
        }
    }

    @Test("a failed writing leaves the former content, and says what failed")
    func failure() throws {
        try withFolder { folder in
            let file = DurableFile(path: folder + "/keys")
            try file.replace(with: [1])
            try FileManager.default.createDirectory(atPath: file.path + ".new", withIntermediateDirectories: false)
            #expect {
                try file.replace(with: [2])
            } throws: { "\($0)".contains("\(file.path).new") }
            #expect(try file.read() == [1])
        }
    }

    @Test("a link, a folder and a pipe are not read")
    func notAFile() throws {
        try withFolder { folder in
            try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "/etc/passwd")
            mkfifo(folder + "/pipe", 0o600)
            for path in [folder, folder + "/link", folder + "/pipe"] {
                #expect(throws: (any Error).self) { try DurableFile(path: path).read() }
            }
        }
    }
}
