import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// What befalls a whole host: its clock is set, its file system fills up. With a stack of its own each.
    struct HostFaultTests {
        /// Interposed before the C library's: the time of day is so many seconds off as the file `TEST_CLOCK` says now, the
        /// monotonic clock is not. Swift finds no arguments any more under faketime(1), which changes the environment.
        private static let interposer = """
            #include <fcntl.h>
            #include <stdlib.h>
            #include <sys/mman.h>
            #include <sys/syscall.h>
            #include <sys/time.h>
            #include <time.h>
            #include <unistd.h>

            static const volatile long *offset;

            __attribute__((constructor)) static void map(void) {
                int file = open(getenv("TEST_CLOCK"), O_RDONLY);
                void *memory = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
                if (memory != MAP_FAILED) offset = memory;
                close(file);
            }
            int clock_gettime(clockid_t clock, struct timespec *time) {
                int result = syscall(SYS_clock_gettime, clock, time);
                if (!result && offset && clock == CLOCK_REALTIME) time->tv_sec += *offset;
                return result;
            }
            int gettimeofday(struct timeval *restrict time, void *restrict zone) {
                struct timespec now;
                clock_gettime(CLOCK_REALTIME, &now);
                *time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
                return 0;
            }
            time_t time(time_t *result) {
                struct timespec now;
                clock_gettime(CLOCK_REALTIME, &now);
                if (result) *result = now.tv_sec;
                return now.tv_sec;
            }
            """

        private static func clock(on folder: String) -> [String: String] {
            ["LD_PRELOAD": folder + "/clock.so", "TEST_CLOCK": folder + "/clock"]
        }

        /// A folder of programs, of which storage and the workers take the time of day from its `clock`.
        private static func programs(on folder: String) throws -> String {
            let files = FileManager.default
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try interposer.write(toFile: folder + "/clock.c", atomically: true, encoding: .utf8)
            try Execution.output(["clang", "-shared", "-fPIC", "-o", folder + "/clock.so", folder + "/clock.c"])
            _ = files.createFile(atPath: folder + "/clock", contents: Data(count: MemoryLayout<Int>.size))
            let variables = clock(on: folder).map { "\($0)=\($1)" }.joined(separator: " ")
            for name in ["mesher", "mesher-stream", "mesher-watchdog", "mesher-storage", "mesher-worker"] {
                let (program, path) = ("\(Stack.programs)/\(name)", "\(folder)/\(name)")
                guard ["mesher-storage", "mesher-worker"].contains(name) else {
                    try files.createSymbolicLink(atPath: path, withDestinationPath: program)
                    continue
                }
                let script = "#!/bin/bash\nexport \(variables)\nexec -a \(name) \(program) \"$@\"\n"
                try script.write(toFile: path, atomically: true, encoding: .utf8)
                try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            }
            return folder
        }

        /// Sets the clock so many seconds ahead.
        private static func set(_ seconds: Int, on folder: String) throws {
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: folder + "/clock"))
            try file.write(contentsOf: withUnsafeBytes(of: seconds) { Data($0) })
            try file.close()
        }

        @Test("A clock that is set an hour ahead, a day ahead and back under load: no event fails, each is stored once")
        func clock() throws {
            let folder = "/tmp/mesher-clock.\(UInt32.random(in: 0 ... .max))"
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let stack = try Stack(
                settings: ["MESHER_RATE_LIMIT_EVENTS=1000000000"], programs: Self.programs(on: folder))
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let limited = try Project.create(on: stack)
            try stack.mesher("project", "set", limited.slug, "--rate-limit", "3", "--rate-limit-window", "2")
            try Nginx(of: stack).restart(environment: Self.clock(on: folder))
            let processes = Processes(stack: stack).children()

            let load = try Load(on: project, seconds: 8, connections: 8)
            for clock in [3_600, 90_000, -3_600, 0] {
                let before = try project.count()
                try Self.set(clock, on: folder)
                #expect(try eventually { try project.count() > before + 100 }, "\(clock) s ahead")
                // A window ends after its two seconds, whatever the clock says.
                #expect(
                    try eventually {
                        try limited.post(#"{"message":"m","level":"info"}"#).status == 429
                    })
                #expect(
                    try eventually(within: 5) {
                        try limited.post(#"{"message":"m","level":"info"}"#).status == 202
                    })
            }
            let seen = try load.result()
            print(
                "clock set under load: \(seen.accepted) accepted, \(seen.failures) failures, \(try project.count()) rows"
            )
            #expect(seen.failures == 0, "\(seen.answers)")
            #expect(try project.count() == seen.accepted)
            let days = try stack.query("SELECT DISTINCT received_on FROM events WHERE project_id = \(project.id)")
            #expect(days.count > 1, "midnight was between")
            #expect(try stack.request("GET", "/readyz").text == #"{"ready":true,"degraded":[]}"#)
            #expect(Processes(stack: stack).children() == processes, "nothing was taken for stuck and replaced")
        }

        /// Whether file systems can be mounted, for which one must be root and not in every container.
        private static let canMount: Bool = {
            let folder = "/tmp/mesher-mount.\(UInt32.random(in: 0 ... .max))"
            mkdir(folder, 0o700)
            defer { rmdir(folder) }
            return mount("tmpfs", folder, "tmpfs", 0, "size=64k") == 0 && umount2(folder, CInt(MNT_DETACH)) == 0
        }()

        @Test(
            "With the file system of all data and logs full, what cannot be kept is refused, what was accepted is there",
            .enabled(if: canMount, "only root may mount a file system"))
        func fullFileSystem() throws {
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000000"], megabytes: 192)
            defer { stack.stop() }
            let outage = Outage(stack: stack)
            let project = try Project.create(on: stack)
            let senders = Senders(project)
            defer { senders.stop() }
            #expect(eventually { senders.count(of: 202) > 200 })

            let filler = stack.folder + "/filler"
            try Execution.run(["dd", "if=/dev/zero", "of=\(filler)", "bs=64k"])
            #expect(eventually(within: 60) { senders.count(of: 503) > 100 })
            #expect(try [200, 503].contains(stack.request("GET", "/readyz").status))

            unlink(filler)
            // PostgreSQL gives up when it finds no room for its log at a start, and is for its supervisor to start again.
            if !outage.isPostgreSQLRunning { try outage.startPostgreSQL() }
            #expect(
                try eventually(within: 60) {
                    try stack.request("GET", "/readyz").text == #"{"ready":true,"degraded":[]}"#
                })
            let before = senders.count(of: 202)
            #expect(eventually { senders.count(of: 202) > before + 200 })
            senders.stop()
            let accepted = senders.accepted
            print("file system full: \(accepted.count) accepted, \(senders.count(of: 503)) refused")
            #expect(senders.statuses.subtracting([202, 503]).isEmpty, "\(senders.statuses)")
            func missing() throws -> Set<String> {
                let rows = try stack.query("SELECT event_id FROM events WHERE project_id = \(project.id)")
                return accepted.subtracting(rows.map { $0[0].filter { $0 != "-" } })
            }
            #expect(try eventually(within: 60) { try missing().isEmpty }, "some are lost")
        }
    }
}
