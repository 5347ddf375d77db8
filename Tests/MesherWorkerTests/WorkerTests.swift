import Glibc
import StorageChannel
import System
import TestServers
import Testing

@testable import mesher_worker

@Suite("The worker")
struct WorkerTests {
    /// The program between an end that plays nginx and one that plays storage; without Redis.
    private final class Running {
        let storage: StorageEnd
        private let program: Execution.Running
        private let socket: String

        init(_ settings: [String: String] = [:]) throws {
            storage = try StorageEnd(ProjectQuota(project: 7, events: 1_000, seconds: 60))
            socket = storage.folder + "/events.sock"
            let listener = try UnixSocket.listen(at: socket, mode: 0o600, backlog: 8)
            let environment = [
                "MESHER_RUN_DIR": storage.folder, "MESHER_REDIS_SOCKET": storage.folder + "/no-redis.sock",
            ].merging(settings) { $1 }
            program = try Execution.Running(
                Execution.program("mesher-worker"), ["events"], environment: environment, listener: listener.number)
        }

        deinit {
            unlink(socket)
        }

        func connect() throws -> Connection {
            Connection(try UnixSocket.connect(to: socket))
        }

        /// Goes on until a condition holds; false when it never does.
        func reaches(_ condition: () -> Bool) throws -> Bool {
            try eventually {
                try storage.step()
                return condition()
            }
        }

        /// Tells it to stop.
        func terminate() { program.terminate() }
        var isRunning: Bool { program.isRunning }
        func status() -> Int32 { program.wait().status }
    }

    /// nginx's connection.
    private final class Connection {
        private let descriptor: Descriptor
        private var bytes: [UInt8] = []
        private(set) var isClosed = false

        init(_ descriptor: consuming Descriptor) {
            self.descriptor = descriptor
        }

        func post(id: Int) {
            let body = Array(#"{"message":"it broke","level":"error"}"#.utf8)
            let digits = String(id, radix: 16)
            let request = FastCGIPeer.request(
                [
                    ("REQUEST_METHOD", "POST"), ("DOCUMENT_URI", "/api/v1/events"),
                    ("MESHER_REQUEST_ID", String(repeating: "0", count: 32 - digits.count) + digits),
                    ("HTTP_X_SENTRY_AUTH", "0123456789abcdef0123456789abcdef"), ("CONTENT_LENGTH", "\(body.count)"),
                ], body: body)
            _ = write(descriptor.number, request, request.count)
        }

        /// How often this text has come so far.
        func count(of text: String) -> Int {
            var chunk = [UInt8](repeating: 0, count: 4_096)
            let count = recv(descriptor.number, &chunk, chunk.count, CInt(MSG_DONTWAIT))
            if count == 0 { isClosed = true }
            bytes += chunk[..<max(0, count)]
            return String(decoding: bytes, as: UTF8.self).ranges(of: text).count
        }
    }

    @Test("Answers events over a kept connection when storage has them")
    func answers() throws {
        let worker = try Running()
        let connection = try worker.connect()
        for number in 1...3 {
            connection.post(id: number)
            #expect(try worker.reaches { connection.count(of: "Status: 202 Accepted\r\n") == number })
        }
        #expect(worker.storage.tickets.count == 3 && !connection.isClosed)
    }

    @Test("Reads no more requests than may be in flight, and the rest when there is room")
    func waitsForRoom() throws {
        let worker = try Running(["MESHER_REQUESTS_IN_HAND": "2"])
        worker.storage.acknowledges = false
        let connections = try (1...3).map { _ in try worker.connect() }
        for (number, connection) in connections.enumerated() { connection.post(id: number) }
        #expect(try worker.reaches { worker.storage.tickets.count == 2 })
        for _ in 0..<50 {
            try worker.storage.step()
            usleep(1_000)
        }
        #expect(worker.storage.tickets.count == 2)
        worker.storage.acknowledges = true
        worker.storage.acknowledgeAll()
        #expect(try worker.reaches { connections.allSatisfy { $0.count(of: "Status: 202") == 1 } })
    }

    @Test("Told to stop, it answers what is in flight, closes its connections, and ends well")
    func stops() throws {
        let worker = try Running()
        let idle = try worker.connect()
        idle.post(id: 1)
        #expect(try worker.reaches { idle.count(of: "Status: 202") == 1 })
        worker.storage.acknowledges = false
        let waiting = try worker.connect()
        waiting.post(id: 2)
        #expect(try worker.reaches { worker.storage.tickets.count == 2 })
        worker.terminate()
        #expect(try worker.reaches { idle.count(of: "Status") == 1 && idle.isClosed })
        #expect(worker.isRunning && waiting.count(of: "Status") == 0)
        worker.storage.acknowledgeAll()
        #expect(try worker.reaches { waiting.count(of: "Status: 202") == 1 && !worker.isRunning })
        #expect(worker.status() == 0)
    }
}
