import Glibc
import Scoreboard
import System
import Testing

@testable import mesher_watchdog

struct HealthCheckTests {
    private static let begin: Int64 = 1_000
    private static let interval: Int64 = 10_000
    private static let patience: Int64 = 5_000

    /// A folder for sockets that is gone afterwards.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = "/tmp/mesher-health.\(UInt32.random(in: 0 ... .max))"
        try #require(mkdir(folder, 0o700) == 0)
        defer {
            for name in ["events", "bulk", "storage", "stream"] { unlink("\(folder)/\(name).sock") }
            rmdir(folder)
        }
        try body(folder)
    }

    @Test("Nothing is asked before the first interval is over; where nobody listens all fail at once")
    func nobodyListens() throws {
        try withFolder { folder in
            let epoll = try Epoll()
            var check = HealthCheck(directory: folder, interval: Self.interval, now: Self.begin)
            let first = Self.begin + Self.interval
            #expect(check.wakeAt == first)
            #expect(check.elapse(now: first - 1, epoll) { _ in 7 } == [])
            let results = check.elapse(now: first, epoll) { _ in 7 }
            #expect(Set(results.map(\.subject)) == Set(HealthSubject.allCases))
            #expect(results.allSatisfy { !$0.isGood })
            #expect(check.wakeAt == first + Self.interval)
        }
    }

    @Test("What does not answer within half an interval has failed; another check follows at its time")
    func nobodyAnswers() throws {
        try withFolder { folder in
            let listeners = try ["events", "bulk", "storage", "stream"].map { name in
                try UnixSocket.listen(at: "\(folder)/\(name).sock", mode: 0o600, backlog: 8).release()
            }
            defer { for number in listeners { close(number) } }
            let epoll = try Epoll()
            var check = HealthCheck(directory: folder, interval: Self.interval, now: Self.begin)
            let first = Self.begin + Self.interval
            #expect(check.elapse(now: first, epoll) { _ in 7 } == [])
            #expect(check.wakeAt == first + Self.patience)
            let results = check.elapse(now: first + Self.patience, epoll) { _ in 7 }
            #expect(Set(results.map(\.subject)) == Set(HealthSubject.allCases))
            #expect(results.allSatisfy { !$0.isGood && $0.duration == Self.patience })
            #expect(check.wakeAt == first + Self.interval)
            #expect(check.ready(.events, now: first) == nil)
        }
    }

    @Test("A worker that answers is healthy, one that hangs up is not")
    func answers() throws {
        try withFolder { folder in
            let listener = try UnixSocket.listen(at: folder + "/events.sock", mode: 0o600, backlog: 8)
            let epoll = try Epoll()
            var check = HealthCheck(directory: folder, interval: Self.interval, now: 0)
            for (answer, isGood) in [("Status: 200 OK\r\n\r\n", true), ("", false)] {
                let now = check.wakeAt
                _ = check.elapse(now: now, epoll) { _ in 7 }
                guard let worker = UnixSocket.accept(listener.number) else {
                    Issue.record("it has not connected")
                    return
                }
                let text = Array(answer.utf8)
                let record: [UInt8] = text.isEmpty ? [] : [1, 6, 0, 1, 0, UInt8(text.count), 0, 0] + text
                #expect(check.ready(.events, now: now) == nil)
                _ = write(worker.number, record, record.count)
                shutdown(worker.number, CInt(SHUT_WR))
                #expect(
                    check.ready(.events, now: now + 5)
                        == HealthCheck.Result(subject: .events, isGood: isGood, duration: 5))
            }
        }
    }

    @Test("A session that refuses an upgrade without a key is healthy, a listener that has no room for it is not")
    func upgrades() throws {
        try withFolder { folder in
            let listener = try UnixSocket.listen(at: folder + "/stream.sock", mode: 0o600, backlog: 8)
            let epoll = try Epoll()
            var check = HealthCheck(directory: folder, interval: Self.interval, now: 0)
            for (status, isGood) in [("401 Unauthorized", true), ("503 Service Unavailable", false)] {
                let now = check.wakeAt
                _ = check.elapse(now: now, epoll) { _ in 7 }
                guard let session = UnixSocket.accept(listener.number) else {
                    Issue.record("it has not connected")
                    return
                }
                var request = [UInt8](repeating: 0, count: 1024)
                let count = read(session.number, &request, request.count)
                #expect(request[..<max(count, 0)].starts(with: "GET /api/v1/stream HTTP/1.1\r\n".utf8))
                let answer = Array("HTTP/1.1 \(status)\r\n\r\n".utf8)
                _ = write(session.number, answer, answer.count)
                shutdown(session.number, CInt(SHUT_WR))
                #expect(
                    check.ready(.stream, now: now + 5)
                        == HealthCheck.Result(subject: .stream, isGood: isGood, duration: 5))
            }
        }
    }
}
