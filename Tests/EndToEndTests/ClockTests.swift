import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// The clock of a host is set. With a stack of its own each.
    struct ClockTests {
        /// The time of day is so many seconds off as the file `TEST_CLOCK` says now, the monotonic clock is not, unless
        /// `TEST_CLOCKS` is `all`.
        private static let source = """
            #include <fcntl.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/mman.h>
            #include <sys/syscall.h>
            #include <sys/time.h>
            #include <time.h>
            #include <unistd.h>

            static const volatile long *offset;
            static int all;

            __attribute__((constructor)) static void map(void) {
                int file = open(getenv("TEST_CLOCK"), O_RDONLY);
                void *memory = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
                if (memory != MAP_FAILED) offset = memory;
                close(file);
                const char *clocks = getenv("TEST_CLOCKS");
                all = clocks && !strcmp(clocks, "all");
            }
            int clock_gettime(clockid_t clock, struct timespec *time) {
                int result = syscall(SYS_clock_gettime, clock, time);
                int isOff = clock == CLOCK_REALTIME || (all && clock == CLOCK_MONOTONIC);
                if (!result && offset && isOff) time->tv_sec += *offset;
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

        /// What must not come of it.
        private enum Harm: String {
            /// A client saw an error.
            case refused
            /// There are not as many rows as events that were accepted, or an id is stored twice.
            case lost, doubled
            /// A window did not end after its time.
            case windowed
            /// A process was taken for stuck.
            case replaced
            /// A dependency was taken for away.
            case degraded
        }

        private static let same = #"{"message":"m","level":"info","event_id":"5a3e5a3e5a3e5a3e5a3e5a3e5a3e5a3e"}"#

        /// Sets the clock under load, and at each time sends an event again.
        ///
        /// - Parameters:
        ///   - clocks: how many seconds it is ahead, one after the other; midnight must be between.
        ///   - isProtected: whether time is told by the monotonic clock, and ids of the neighbouring days are seen.
        private func harm(settingClockTo clocks: [Int], isProtected: Bool) throws -> Set<Harm> {
            let variables = ["TEST_CLOCK": "FOLDER/clock", "TEST_CLOCKS": isProtected ? "one" : "all"]
            let programs = try InterposedPrograms(Self.source, in: ["mesher-storage", "mesher-worker"], variables)
            defer { programs.remove() }
            try set(0, in: programs)
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000000"], programs: programs.folder)
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let limited = try Project.create(on: stack)
            let other = try Project.create(on: stack)
            try stack.mesher("project", "set", limited.slug, "--rate-limit", "3", "--rate-limit-window", "2")
            try Nginx(of: stack).restart(environment: programs.variables.merging(["TEST_CLOCKS": "one"]) { $1 })
            if !isProtected { try stack.hideEvents() }
            let processes = Processes(stack: stack).children()
            var harm: Set<Harm> = []
            func isAnswered(_ status: Int) -> Bool {
                (try? limited.post(#"{"message":"m","level":"info"}"#).status) == status
            }
            func send() throws { if try other.post(Self.same).status != 202 { harm.insert(.refused) } }
            let patience = isProtected ? 10.0 : 1
            try send()
            let load = try Load(on: project, seconds: isProtected ? 8 : 3, connections: 8)
            for clock in clocks {
                let before = try project.count()
                try set(clock, in: programs)
                if try !eventually(within: patience, { try project.count() > before + 100 }) { harm.insert(.refused) }
                // A window ends after its two seconds, whatever the clock says.
                if !eventually(within: patience, { isAnswered(429) }) || !eventually(within: 5, { isAnswered(202) }) {
                    harm.insert(.windowed)
                }
                try send()
            }
            let seen = try load.result()
            let rows = try project.count()
            if seen.failures > 0 { harm.insert(.refused) }
            if rows != seen.accepted { harm.insert(.lost) }
            if try other.count() != 1 { harm.insert(.doubled) }
            if Processes(stack: stack).children() != processes { harm.insert(.replaced) }
            if try stack.request("GET", "/readyz").text != #"{"ready":true,"degraded":[]}"# { harm.insert(.degraded) }
            print(
                "clock set under load: \(seen.accepted) accepted, \(seen.failures) failures, \(rows) rows, "
                    + "harm \(harm.map(\.rawValue))")
            let days = try stack.query("SELECT DISTINCT received_on FROM events WHERE project_id = \(project.id)")
            #expect(!isProtected || days.count > 1, "midnight was between")
            return harm
        }

        private func set(_ seconds: Int, in programs: InterposedPrograms) throws {
            let file = programs.folder + "/clock"
            if access(file, F_OK) != 0 { _ = FileManager.default.createFile(atPath: file, contents: nil) }
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
            try handle.write(contentsOf: withUnsafeBytes(of: seconds) { Data($0) })
            try handle.close()
        }

        @Test("A clock that is set under load, an hour ahead, nearly a day ahead and back, does no harm")
        func set() throws {
            #expect(try harm(settingClockTo: [3_600, 84_600, -3_600, 0], isProtected: true).isEmpty)
        }

        @Test("It does when time is told by that clock and ids are looked for on one day, so that test could fail")
        func control() throws {
            let harm = try harm(settingClockTo: [-3_600, 84_600], isProtected: false)
            #expect(harm.contains(.doubled))
            #expect(!harm.isDisjoint(with: [.refused, .replaced, .windowed]), "\(harm)")
        }
    }
}
