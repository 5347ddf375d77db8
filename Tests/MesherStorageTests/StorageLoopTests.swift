import PostgreSQL
import StorageChannel
import TestServers
import Testing

@Suite struct StorageLoopTests {
    @Test("--version prints the version, any other argument is refused with 64")
    func arguments() throws {
        let program = Execution.program("mesher-storage")
        let version = try Execution.run(program, ["--version"])
        #expect(version.status == 0 && version.output.hasPrefix("mesher-storage "))
        let unknown = try Execution.run(program, ["--help"])
        #expect(unknown.status == 64 && !unknown.errors.isEmpty)
    }

    @Test("a configuration that cannot be used ends with 78")
    func configuration() throws {
        let result = try Execution.run(
            Execution.program("mesher-storage"), [], environment: ["MESHER_COMMIT_EVENTS": "0"])
        #expect(result.status == 78 && result.errors.contains("MESHER_COMMIT_EVENTS"))
    }

    @Test("SIGTERM lets what is in hand be committed and answered, then ends with 0")
    func stop() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge()
        let blocker = try storage.open()
        try blocker.execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        edge.send(TestEvent(ticket: 1).frame)
        #expect(try eventually { try storage.isCommitWaiting() })
        edge.send((2..<50).flatMap { TestEvent(ticket: $0).frame })
        #expect(edge.probe() != nil, "the other events were received too")
        storage.terminate()
        #expect(eventually { (try? TestEdge(storage.socketPath)) == nil }, "no edge is accepted any more")
        #expect(storage.isRunning)
        try blocker.execute("ROLLBACK")
        let results = edge.results(49)
        #expect(results.count == 49 && results.values.allSatisfy { $0.result == .durable })
        #expect(storage.wait() == 0)
        #expect(try eventually { try storage.value("SELECT count(*) FROM events") == "49" })
    }

    @Test("it says once that it is ready, when it can store and knows the keys")
    func readiness() throws {
        let storage = try StorageProcess(isSupervised: true)
        #expect(eventually { storage.announcement == "\n" })
        let edge = try storage.edge(whenAccepting: false)
        #expect(edge.probe()?.accepts == true)
        #expect(edge.lookUp(KeyID(1))?.state == .unknown)
    }

    @Test("it says that it is ready also when PostgreSQL cannot be reached")
    func readinessWithoutPostgreSQL() throws {
        let storage = try StorageProcess(url: "postgresql:///none?host=/nonexistent", isSupervised: true)
        #expect(eventually { storage.announcement == "\n" })
    }

    @Test("a supervised process dies with its parent")
    func parentDeath() throws {
        let storage = try StorageProcess(isSupervised: true)
        #expect(eventually { storage.announcement == "\n" })
        storage.kill()
        #expect(eventually { (try? TestEdge(storage.socketPath)) == nil })
    }

    @Test("events that come before the first session is set up wait for it")
    func start() throws {
        let storage = try StorageProcess()
        let edge = try storage.edge(whenAccepting: false)
        #expect(edge.store([TestEvent()]) == [.durable])
    }

    @Test("the socket is for its owner alone")
    func permissions() throws {
        let storage = try StorageProcess()
        #expect(try Execution.run("/usr/bin/stat", ["-c", "%a", storage.socketPath]).output == "600\n")
    }
}
