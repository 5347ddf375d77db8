import Foundation
import TestServers
import Testing

extension OwnStack {
    /// The clock of a host is set. With a stack of its own each.
    struct ClockTests {
        /// The time of day and the monotonic clock are so many seconds off as the file `TEST_CLOCK` says now.
        private static let source = """
            #include <fcntl.h>
            #include <stdlib.h>
            #include <sys/mman.h>
            #include <sys/syscall.h>
            #include <sys/time.h>
            #include <time.h>
            #include <unistd.h>

            static const volatile struct { long realtime, monotonic; } *offset;

            __attribute__((constructor)) static void map(void) {
                int file = open(getenv("TEST_CLOCK"), O_RDONLY);
                void *memory = mmap(0, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
                if (memory != MAP_FAILED) offset = memory;
                close(file);
            }
            int clock_gettime(clockid_t clock, struct timespec *time) {
                int result = syscall(SYS_clock_gettime, clock, time);
                if (result || !offset) return result;
                if (clock == CLOCK_REALTIME) time->tv_sec += offset->realtime;
                if (clock == CLOCK_MONOTONIC) time->tv_sec += offset->monotonic;
                return 0;
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

        /// How many seconds they are ahead.
        private struct Clocks {
            var realtime = 0
            var monotonic = 0
        }

        /// Sets the clocks under load, and at each time sends an event again.
        ///
        /// - Parameters:
        ///   - clocks: one after the other; midnight must be between.
        ///   - prepare: what is done to the stack before.
        private func harm(setting clocks: [Clocks], prepare: (Stack) throws -> Void = { _ in }) throws -> Set<Harm> {
            let programs = try programsWithClock()
            defer { programs.remove() }
            let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000000"], programs: programs.folder)
            defer { stack.stop() }
            let project = try Project.create(on: stack)
            let limited = try Project.create(on: stack)
            let other = try Project.create(on: stack)
            try stack.mesher("project", "set", limited.slug, "--rate-limit", "3", "--rate-limit-window", "2")
            try Nginx(of: stack).restart(environment: programs.variables)
            try prepare(stack)
            let processes = Processes(stack: stack).children()
            var harm: Set<Harm> = []
            func isAnswered(_ status: Int) -> Bool {
                (try? limited.post(#"{"message":"m","level":"info"}"#).status) == status
            }
            func send() throws { if try other.post(Self.same).status != 202 { harm.insert(.refused) } }
            try send()
            let load = try Load(on: project, seconds: 600, connections: 8)
            for clock in clocks {
                let before = try project.count()
                try set(clock, in: programs)
                if try !eventually({ try project.count() > before + 100 }) { harm.insert(.refused) }
                // A window ends after its two seconds, whatever the clock says.
                if !eventually({ isAnswered(429) }) || !eventually({ isAnswered(202) }) {
                    harm.insert(.windowed)
                }
                try send()
            }
            let seen = try load.finish()
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
            #expect(days.count > 1, "midnight was between")
            return harm
        }

        /// Programs whose clocks can be set, and are right so far.
        private func programsWithClock() throws -> InterposedPrograms {
            let programs = try InterposedPrograms(
                Self.source, in: ["mesher-storage", "mesher-worker"], ["TEST_CLOCK": "FOLDER/clock"])
            try set(Clocks(), in: programs)
            return programs
        }

        private func set(_ clocks: Clocks, in programs: InterposedPrograms) throws {
            let file = programs.folder + "/clock"
            if access(file, F_OK) != 0 { _ = FileManager.default.createFile(atPath: file, contents: nil) }
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
            try handle.write(contentsOf: withUnsafeBytes(of: clocks) { Data($0) })
            try handle.close()
        }

        @Test("A clock that is set under load, an hour ahead, nearly a day ahead and back, does no harm")
        func set() throws {
            let clocks = [3_600, 84_600, -3_600, 0].map { Clocks(realtime: $0) }
            #expect(try harm(setting: clocks).isEmpty)
        }

        @Test("It does when ids are looked for on one day, so that test could fail")
        func control() throws {
            let harm = try harm(setting: [-3_600, 84_600].map { Clocks(realtime: $0) }) { try $0.hideEvents() }
            #expect(harm.contains(.doubled), "\(harm)")
        }

        @Test("It does when the other clock is set: processes are replaced, so that test could fail")
        func monotonicControl() throws {
            let programs = try programsWithClock()
            defer { programs.remove() }
            let stack = try Stack(programs: programs.folder)
            defer { stack.stop() }
            let processes = Processes(stack: stack).children()
            // More than a loop may stand still, and less than any host has been up.
            try set(Clocks(monotonic: -45), in: programs)
            #expect(eventually { Processes(stack: stack).children() != processes })
        }
    }
}
