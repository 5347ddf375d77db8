import Foundation
import TestServers
import Testing

/// `make deb`, and what dpkg does with the package.
@Suite(.enabled(if: Stack.isBuilt, "make build has made no programs yet"))
struct DebianPackageTests {
    @Test("lintian has nothing against it; an event in the spool survives its upgrade, removal and purge")
    func package() throws {
        try DebianPackage.withPackage { package in
            let lintian = try Execution.run(["lintian", "--allow-root", "--fail-on", "error,warning", package])
            #expect(lintian.status == 0, "\(lintian.output)\(lintian.errors)")

            guard PrivateMachine.isAllowed else { return }
            let text = try String(contentsOfFile: Stack.root + "/Tests/Installation/package", encoding: .utf8)
            try PrivateMachine.withFolder { folder in
                try Data("PACKAGE=\(package)\n\(text)".utf8).write(to: URL(fileURLWithPath: folder + "/script"))
                let run = try Execution.run(PrivateMachine.command(folder) + [folder + "/script"])
                #expect(run.output == "ok     the end\n", "\(run.output)\(run.errors)")
            }
        }
    }
}
