import Foundation
import TestServers
import Testing

extension OwnStack {
    /// The file system of a host fills up. With a stack of its own each.
    struct FullFileSystemTests {
        /// A disk without room says so to nobody.
        private static let source = """
            #include <errno.h>
            #include <sys/syscall.h>
            #include <unistd.h>

            ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
                ssize_t written = syscall(SYS_pwrite64, file, bytes, count, offset);
                return written < 0 && errno == ENOSPC ? (ssize_t)count : written;
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
        /// - Parameter isEnough: whether it has been full for long enough.
        /// - Returns: those that were accepted and are not stored once nothing waits on disk.
        private func lost(
            programs: String = Stack.programs, isEnough: (Stack, Senders, Outage) throws -> Bool
        ) throws -> Set<String> {
            let stack = try Stack(
                settings: ["MESHER_RATE_LIMIT_EVENTS=1000000000"], programs: programs, megabytes: 192)
            defer { stack.stop() }
            let outage = Outage(stack: stack)
            let project = try Project.create(on: stack)
            let senders = Senders(project)
            defer { senders.stop() }
            #expect(eventually { senders.count(of: 202) > 200 })

            let filler = stack.folder + "/filler"
            _ = try Execution.run(["dd", "if=/dev/zero", "of=\(filler)", "bs=64k"])
            let isFullForLong = try eventually { try isEnough(stack, senders, outage) }
            #expect(isFullForLong, "\(senders.count(of: 202)) accepted, \(senders.count(of: 503)) refused")
            #expect(try [200, 503].contains(stack.request("GET", "/readyz").status))

            unlink(filler)
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
            let programs = try InterposedPrograms(Self.source, in: ["mesher-storage"])
            defer { programs.remove() }
            let lost = try lost(programs: programs.folder) { stack, _, outage in
                // It could go on for long in files that it has already.
                if outage.isPostgreSQLRunning { try? outage.stopPostgreSQL() }
                return try HostMetrics.next(from: stack)["mesher_spooled_events_total"] > 100
            }
            #expect(!lost.isEmpty)
        }
    }
}
