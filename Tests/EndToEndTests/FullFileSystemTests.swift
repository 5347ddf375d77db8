import Foundation
import TestServers
import Testing

extension OwnStack {
    /// The file system of a host fills up. With a stack of its own each.
    struct FullFileSystemTests {
        /// A disk that says to nobody when it has no room, which is while a file is there. `syscall` makes the write itself.
        private static let source = """
            #include <stdlib.h>
            #include <sys/syscall.h>
            #include <unistd.h>

            ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
                return access(getenv("MESHER_TEST_FULL"), F_OK) == 0 ? (ssize_t)count
                    : syscall(SYS_pwrite64, file, bytes, count, offset);
            }
            """

        /// Whether file systems can be mounted, for which one must be root and not in every container.
        private static let canMount: Bool = {
            let folder = "/tmp/mesher-mount.\(UInt32.random(in: 0 ... .max))"
            mkdir(folder, 0o700)
            defer { rmdir(folder) }
            return mount("tmpfs", folder, "tmpfs", 0, "size=64k") == 0 && umount2(folder, CInt(MNT_DETACH)) == 0
        }()

        /// Fills the file system of all data and logs under load, and makes room again.
        ///
        /// - Parameters:
        ///   - fill: makes it full.
        ///   - isEnough: whether it has been full for long enough.
        /// - Returns: those that were accepted and are not stored once nothing waits on disk.
        private func lost(
            programs: String = Stack.programs, fill: (Stack) throws -> Void = fill,
            isEnough: (Stack, Senders, Outage) throws -> Bool
        ) throws -> Set<String> {
            let stack = try Stack(
                settings: ["MESHER_RATE_LIMIT_EVENTS=1000000000"], programs: programs, megabytes: 192)
            defer { stack.stop() }
            let outage = Outage(stack: stack)
            let project = try Project.create(on: stack)
            let senders = Senders(project)
            defer { senders.stop() }
            #expect(eventually { senders.count(of: 202) > 200 })

            try fill(stack)
            let isFullForLong = try eventually { try isEnough(stack, senders, outage) }
            #expect(isFullForLong, "\(senders.count(of: 202)) accepted, \(senders.count(of: 503)) refused")
            #expect(try [200, 503].contains(stack.request("GET", "/readyz").status))

            unlink(Self.filler(of: stack))
            // PostgreSQL gives up when it finds no room for its log at a start, and is for its supervisor to start again.
            if !outage.isPostgreSQLRunning { try outage.startPostgreSQL() }
            #expect(
                try eventually {
                    try stack.request("GET", "/readyz").text == #"{"ready":true,"degraded":[]}"#
                })
            let before = senders.count(of: 202)
            #expect(eventually { senders.count(of: 202) > before + 200 })
            senders.stop()
            #expect(try eventually { try outage.spooled() == 0 })
            let accepted = senders.accepted
            #expect(senders.statuses.subtracting([202, 503]).isEmpty, "\(senders.statuses)")
            let rows = try stack.query("SELECT event_id FROM events WHERE project_id = \(project.id)")
            let lost = accepted.subtracting(rows.map { $0[0].filter { $0 != "-" } })
            print(
                "file system full: \(accepted.count) accepted, \(senders.count(of: 503)) refused, \(lost.count) lost")
            return lost
        }

        private static func filler(of stack: Stack) -> String { stack.folder + "/filler" }

        private static func fill(_ stack: Stack) throws {
            _ = try Execution.run(["dd", "if=/dev/zero", "of=\(filler(of: stack))", "bs=64k"])
        }

        @Test(
            "With the file system of all data and logs full, what cannot be kept is refused, what was accepted is there",
            .enabled(if: canMount, "only root may mount a file system"))
        func fullFileSystem() throws {
            #expect(try lost { _, senders, _ in senders.count(of: 503) > 100 }.isEmpty)
        }

        @Test(
            "With a storage that takes a full disk for written events are lost, so that test could fail",
            .enabled(if: canMount, "only root may mount a file system"))
        func control() throws {
            let programs = try InterposedPrograms(
                Self.source, in: ["mesher-storage"], ["MESHER_TEST_FULL": "FOLDER/full"])
            defer { programs.remove() }
            let full = programs.folder + "/full"
            var spooledBefore: Double?
            func isEnough(_ stack: Stack, _: Senders, _ outage: Outage) throws -> Bool {
                if outage.isPostgreSQLRunning { try outage.stopPostgreSQL() }
                let spooled = try HostMetrics.next(from: stack)["mesher_spooled_events_total"]
                if let spooledBefore {
                    guard spooled > spooledBefore + 500 else { return false }
                    try FileManager.default.removeItem(atPath: full)
                    return true
                }
                if spooled > 0 {
                    FileManager.default.createFile(atPath: full, contents: nil)
                    spooledBefore = spooled
                }
                return false
            }
            // Of a full disk PostgreSQL and the spool's other files would take their part, more or less by chance.
            let lost = try lost(programs: programs.folder, fill: { _ in }, isEnough: isEnough)
            #expect(!lost.isEmpty)
        }
    }
}
