import Foundation
import TestServers

/// A machine of its own for what root types, made of this one's files by Tests/Installation/machine.
enum PrivateMachine {
    /// What is put before the path of a script; the machine's files are in a folder of `withFolder`.
    static func command(_ folder: String) -> [String] {
        [Stack.root + "/Tests/Installation/machine", folder + "/machine", Stack.root]
    }

    /// Makes a folder for a machine and its script, and removes it in the end.
    static func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = "/tmp/mesher-machine.\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder + "/machine", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }

    static let isAllowed: Bool = {
        let status = try? withFolder { folder in
            try Data("true".utf8).write(to: URL(fileURLWithPath: folder + "/script"))
            return try Execution.run(command(folder) + [folder + "/script"]).status
        }
        return geteuid() == 0 && status == 0
    }()
}
