import Foundation
import TestServers

/// A folder of the programs, some of which find functions of a test's own before those of the C library.
struct InterposedPrograms {
    let folder: String
    /// Lets any other program find them, too.
    let variables: [String: String]

    /// - Parameters:
    ///   - source: the functions in C.
    ///   - names: the programs that find them. Each is a script which sets the variables: Swift finds no arguments any more
    ///     when the library changes the environment.
    ///   - programs: the folder of all the programs.
    ///   - variables: what else these programs find in their environment, `FOLDER` being this folder.
    init(
        _ source: String, in names: [String], of programs: String = Stack.programs, _ variables: [String: String] = [:]
    ) throws {
        let folder = "/tmp/mesher-programs.\(UInt32.random(in: 0 ... .max))"
        self.folder = folder
        self.variables = variables.mapValues { $0.replacingOccurrences(of: "FOLDER", with: folder) }
            .merging(["LD_PRELOAD": folder + "/library.so"]) { $1 }
        let files = FileManager.default
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try source.write(toFile: folder + "/library.c", atomically: true, encoding: .utf8)
        try Execution.output(["clang", "-shared", "-fPIC", "-o", folder + "/library.so", folder + "/library.c"])
        let exports = self.variables.map { "\($0)=\($1)" }.joined(separator: " ")
        for name in ["mesher", "mesher-stream", "mesher-watchdog", "mesher-storage", "mesher-worker"] {
            let (program, path) = ("\(programs)/\(name)", "\(folder)/\(name)")
            guard names.contains(name) else {
                try files.createSymbolicLink(atPath: path, withDestinationPath: program)
                continue
            }
            let script = "#!/bin/bash\nexport \(exports)\nexec -a \(name) \(program) \"$@\"\n"
            try script.write(toFile: path, atomically: true, encoding: .utf8)
            try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
    }

    /// Removes the folder.
    func remove() {
        try? FileManager.default.removeItem(atPath: folder)
    }
}
