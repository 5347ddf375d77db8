import Foundation
import TestServers
import Testing

@Suite(
    .serialized, .enabled(if: Stack.isBuilt, "make build has made no programs yet"),
    .enabled(if: Container.areNamespacesAllowed, "needs the right to make namespaces"))
struct ContainerTests {
    /// A stack whose own Mesher has ended, so that a container's takes its place.
    private func withStack(_ body: (Stack, Project) throws -> Void) throws {
        let stack = try Stack(settings: ["MESHER_RATE_LIMIT_EVENTS=1000000"])
        defer { stack.stop() }
        let project = try Project.create(on: stack)
        kill(try #require(Processes(stack: stack).watchdog), SIGTERM)
        let numberFile = stack["MESHER_RUN_DIR"] + "/watchdog.pid"
        try #require(eventually { access(numberFile, F_OK) != 0 })
        try Container.makeRoot(for: stack)
        try body(stack, project)
    }

    /// Starts one, and returns when it takes events.
    private func start(for stack: Stack) throws -> Container {
        let container = try Container(for: stack)
        let ready = #"{"ready":true,"degraded":[]}"#
        let isReady = try eventually { try stack.request("GET", "/readyz").text == ready }
        try #require(isReady, "\(log(of: stack))")
        return container
    }

    private func log(of stack: Stack) -> String {
        (try? String(contentsOfFile: stack.folder + "/container.log", encoding: .utf8)) ?? ""
    }

    private static let event = #"{"message":"m","level":"info"}"#

    @Test("As process 1 of nobody over a root that is read-only it takes events, repairs itself, reaps and drains")
    func life() throws {
        try withStack { stack, project in
            let container = try start(for: stack)
            let status = try container.file("status")
            #expect(status.contains(/NSpid:\t\d+\t1\n/))
            #expect(status.contains(/CapEff:\t0+\n/))
            #expect(try container.file("uid_map").split(separator: " ").first == "990")
            let root = try container.file("mountinfo").split(separator: "\n").first {
                $0.contains(" / / ") || $0.contains("/root / ")
            }
            #expect(root?.split(separator: " ")[5].split(separator: ",").contains("ro") == true)
            #expect(try project.post(Self.event).status == 202)
            // The status is written once a second.
            let saysReady = try eventually {
                try container.run("/usr/local/bin/mesher", "status").output.contains(/ready +yes/)
            }
            #expect(saysReady)
            #expect(try container.run("/usr/local/bin/mesher", "send", project.dsn).output.hasPrefix("202"))

            try checks(stack, container)

            let worker = try #require(container.processes("mesher-worker", "events").first)
            kill(worker, SIGKILL)
            let isRepaired = eventually {
                container.processes("mesher-worker", "events").count == 2
                    && !container.processes("mesher-worker", "events").contains(worker)
            }
            #expect(isRepaired)
            #expect(try project.post(Self.event).status == 202)

            // An orphan: its parent ends at once, and it is process 1 that has to wait for it.
            _ = try container.runBeside("sh", "-c", "sleep 1 >/dev/null 2>&1 &")
            #expect(eventually { !container.processes("sleep", "1").isEmpty }, "there is an orphan")
            let isReaped = eventually {
                Processes.children(of: container.process).allSatisfy {
                    Processes.commandLine($0).first?.hasPrefix("mesher-") == true
                }
            }
            #expect(isReaped)

            kill(container.process, SIGTERM)
            #expect(container.wait() == 0, "\(log(of: stack))")
            #expect(try project.count() == 3)
            let lines = log(of: stack).split(separator: "\n")
            #expect(lines.count > 5)
            #expect(
                lines.allSatisfy { $0.contains(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z mesher-/) }, "\(log(of: stack))"
            )
        }
    }

    /// The numbers of its processes are those of others outside.
    private func checks(_ stack: Stack, _ container: Container) throws {
        let inside = try container.run("/usr/local/bin/mesher", "check").output
        for group in ["the watchdog: no new privileges", "storage: Landlock", "workers: Landlock"] {
            let found = inside.split(separator: "\n").first {
                $0.hasPrefix("ok ") && $0.contains("sandbox ") && $0.contains(group)
            }
            #expect(found != nil, "\(inside)")
        }
        let outside = try Execution.run(stack["MESHER_BIN"] + "/mesher", ["check"], environment: stack.variables).output
        let sandbox = outside.split(separator: "\n").filter { $0.contains(" sandbox ") }
        #expect(
            sandbox.count == 1 && sandbox.allSatisfy { $0.hasPrefix("ok ") && $0.contains("cannot be seen") },
            "\(outside)")
    }

    @Test("What waits for PostgreSQL is in the volume, and comes from there when all else has gone")
    func volume() throws {
        try withStack { stack, project in
            let outage = Outage(stack: stack)
            let container = try start(for: stack)
            try outage.stopPostgreSQL()
            for _ in 0..<5 { #expect(try project.post(Self.event).status == 202) }
            kill(container.process, SIGKILL)
            #expect(container.wait() != 0)
            let sockets = stack["MESHER_RUN_DIR"]
            for name in try FileManager.default.contentsOfDirectory(atPath: sockets) { unlink("\(sockets)/\(name)") }
            try outage.startPostgreSQL()
            #expect(try project.count() == 0)
            let successor = try start(for: stack)
            #expect(try eventually { try project.count() == 5 })
            kill(successor.process, SIGTERM)
            #expect(successor.wait() == 0, "\(log(of: stack))")
        }
    }
}
