import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// The units as `make install` puts them into a folder.
    struct SystemdTests {
        private static let units = ["mesher.service", "mesher.socket"]
        private static let maintenance = ["mesher-maintenance.service", "mesher-maintenance.timer"]

        /// Installs into a folder of its own, which is gone afterwards.
        private func withInstallation(_ body: (_ prefix: String, _ units: String) throws -> Void) throws {
            let prefix = FileManager.default.temporaryDirectory.path + "/mesher-install-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: prefix) }
            try Execution.output(["make", "--silent", "-C", Stack.root, "install", "PREFIX=" + prefix])
            try body(prefix, prefix + "/lib/systemd/system/")
        }

        @Test("systemd finds nothing to complain about in the units")
        func verify() throws {
            try withInstallation { prefix, folder in
                let files = (Self.units + Self.maintenance).map { folder + $0 }
                let execution = try Execution.run("/usr/bin/systemd-analyze", ["verify", "--man=no"] + files)
                #expect(execution.status == 0)
                let complaints = execution.errors.split(separator: "\n").filter { $0.contains("mesher") }
                #expect(complaints.isEmpty, "\(execution.errors)")
                let service = try String(contentsOfFile: folder + "mesher.service", encoding: .utf8)
                #expect(service.contains("ExecReload=\(prefix)/bin/mesher reload"))
                #expect(FileManager.default.fileExists(atPath: prefix + "/lib/sysusers.d/mesher.conf"))
                #expect(FileManager.default.fileExists(atPath: prefix + "/lib/tmpfiles.d/mesher.conf"))
            }
        }

        @Test("systemd rates the exposure of the services at 1.5 or less", arguments: ["mesher", "mesher-maintenance"])
        func security(name: String) throws {
            try withInstallation { _, folder in
                let execution = try Execution.run(
                    "/usr/bin/systemd-analyze",
                    [
                        "security", "--offline=yes", "--no-pager", "--threshold=15", folder + name + ".service",
                    ])
                #expect(execution.status == 0, "\(execution.output.suffix(200)) \(execution.errors)")
                #expect(execution.output.contains("Overall exposure level"))
            }
        }

        @Test("It takes the sockets it is given, says how it is, and its lines have priorities for the journal")
        func activation() throws {
            let stack = try EndToEnd.stack()
            let folder = stack.folder + "/activated"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            let processors = ProcessInfo.processInfo.activeProcessorCount
            let manager = try NotifySocket(path: stack.folder + "/notify")
            let log = stack.folder + "/activated.log"
            _ = FileManager.default.createFile(atPath: log, contents: nil)
            let output = try #require(FileHandle(forWritingAtPath: log))
            var file = stat()
            try #require(stat(log, &file) == 0)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/systemd-socket-activate")
            process.arguments = [
                "-l", folder + "/events.sock", "-l", folder + "/bulk.sock", "--fdname=any:other",
                "-E", "NOTIFY_SOCKET=" + manager.path, "-E", "WATCHDOG_USEC=1000000",
                "-E", "JOURNAL_STREAM=\(file.st_dev):\(file.st_ino)",
                stack["MESHER_BIN"] + "/mesher-watchdog", "--config", stack.folder + "/mesher.conf",
                "MESHER_RUN_DIR=" + folder, "MESHER_STREAM_ADDRESS=",
            ]
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = output
            process.standardError = output
            try process.run()
            defer {
                process.terminate()
                process.waitUntilExit()
            }
            let connection = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(connection) }
            let isConnected = eventually { NotifySocket.connect(connection, to: folder + "/events.sock") }
            #expect(isConnected)
            #expect(eventually { manager.received.contains("READY=1") }, "\(manager.received)")
            let workers = "worker events \(processors)/\(processors), worker bulk 1/1"
            let status = "STATUS=ready: storage 1/1, \(workers), stream 1/1"
            #expect(eventually { manager.received.contains(status) })
            #expect(eventually { manager.received.filter { $0 == "WATCHDOG=1" }.count >= 3 })
            manager.forget()
            process.terminate()
            #expect(eventually { manager.received.contains("STOPPING=1") })
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
            let text = try String(contentsOfFile: log, encoding: .utf8)
            let lines = text.split(separator: "\n").filter { $0.contains("mesher-") && $0.contains("]: ") }
            #expect(lines.count > 5)
            #expect(lines.allSatisfy { $0.first == "<" && $0.dropFirst(2).first == ">" }, "\(text)")
            #expect(FileManager.default.fileExists(atPath: folder + "/events.sock"), "it was systemd's, not its own")
        }
    }
}
