import Foundation
import TestServers

/// The package that `make deb` makes of the programs that are built.
enum DebianPackage {
    /// Makes it, with little compression, in a folder that a `PrivateMachine` sees, and removes it in the end.
    static func withPackage<Result>(_ body: (_ path: String) throws -> Result) throws -> Result {
        let folder = Stack.root + "/.build/package.\(UInt32.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Execution.output(
            [Stack.root + "/debian/build", folder],
            environment: ["DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1"])
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".deb") }
        return try body(folder + "/" + (names.first ?? "no package"))
    }
}
