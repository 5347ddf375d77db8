internal import Configuration
internal import Logging
internal import Scoreboard
internal import StorageChannel
internal import System

/// Checks workers, sessions and storage through the very sockets that nginx and the edges use: a request through each
/// of the workers' sockets and the streams' socket, and a probe through storage's.
struct HealthCheck: ~Copyable {
    /// The result of one check.
    struct Result: Equatable {
        let subject: HealthSubject
        let isGood: Bool
        /// Nanoseconds.
        let duration: Int64
    }

    /// Failures in a row after which the operator is told.
    static let failuresToTell = 3

    private static let listeners: [(Child.Listener, HealthSubject)] = [
        (.events, .events), (.bulk, .bulk), (.stream, .stream),
    ]

    private let directory: String
    private let interval: Int64
    private var requests: [HealthSubject: RequestProbe] = [:]
    private var storage: StorageClient?
    private var begun: Int64
    private var ticket: UInt64 = 0

    /// - Parameters:
    ///   - directory: of the sockets.
    ///   - interval: nanoseconds between two checks.
    ///   - now: the first check begins an interval later.
    init(directory: String, interval: Int64, now: Int64) {
        self.directory = directory
        self.interval = interval
        begun = now
    }

    /// The next time at which something is due.
    var wakeAt: Int64 {
        begun + (isUnderWay ? patience : interval)
    }

    /// If a turn took longer than this many nanoseconds, this process itself got no processor time, and a missing
    /// answer means nothing.
    private static let lateness: Int64 = 1_000_000_000

    /// Nanoseconds that one check may take.
    private var patience: Int64 { interval / 2 }

    private var asksStorage: Bool {
        switch storage {
        case .some: true
        case nil: false
        }
    }

    private var isUnderWay: Bool {
        asksStorage || !requests.isEmpty
    }

    /// Begins a check when it is due, or gives up one that takes too long.
    ///
    /// - Parameter token: identifies the socket of each subject in the loop.
    /// - Returns: what has failed.
    mutating func elapse(
        now: Int64, _ epoll: borrowing Epoll, token: (HealthSubject) -> UInt64
    ) -> [Result] {
        guard now >= wakeAt else { return [] }
        if isUnderWay {
            var overdue = Array(requests.keys)
            requests = [:]
            if asksStorage { overdue.append(.storage) }
            storage = nil
            guard now - begun <= patience + Self.lateness else { return [] }
            return overdue.map { Result(subject: $0, isGood: false, duration: now - begun) }
        }
        begun = now
        var failed: [HealthSubject] = []
        for (listener, subject) in Self.listeners {
            do throws(SystemError) {
                let probe = try Self.probe("\(directory)/\(listener.rawValue).sock", listener)
                try epoll.add(probe.number, token: token(subject), .read)
                requests[subject] = probe
            } catch {
                failed.append(subject)
            }
        }
        if !beginProbe(now: now, epoll, token: token(.storage)) { failed.append(.storage) }
        return failed.map { Result(subject: $0, isGood: false, duration: 0) }
    }

    private static func probe(_ path: String, _ listener: Child.Listener) throws(SystemError) -> RequestProbe {
        switch listener {
        case .events, .bulk: try .begin(at: path, FastCGIProbe.request(), isGood: FastCGIProbe.isGood)
        case .stream: try .begin(at: path, UpgradeProbe.request(), isGood: UpgradeProbe.isGood)
        }
    }

    private mutating func beginProbe(now: Int64, _ epoll: borrowing Epoll, token: UInt64) -> Bool {
        var client = StorageClient(path: "\(directory)/storage.sock")
        guard client.tick(now: now) == nil, let number = client.socket?.number,
            (try? epoll.add(number, token: token, .read)) != nil
        else { return false }
        ticket &+= 1
        var frames = FrameQueue()
        frames.write { $0.probe(ticket) }
        guard client.send(&frames) else { return false }
        storage = consume client
        return true
    }

    /// The socket of a subject is readable.
    ///
    /// - Returns: nil while more is to come.
    mutating func ready(_ subject: HealthSubject, now: Int64) -> Result? {
        let isGood: Bool?
        if subject == .storage {
            isGood = receiveFromStorage()
            if isGood != nil { storage = nil }
        } else {
            isGood = requests[subject]?.receive()
            if isGood != nil { requests[subject] = nil }
        }
        return isGood.map { Result(subject: subject, isGood: $0, duration: now - begun) }
    }

    /// Whether storage has answered. Whether it accepts events depends on PostgreSQL's health, not on its own.
    private mutating func receiveFromStorage() -> Bool? {
        guard var client = storage.take() else { return nil }
        let ticket = ticket
        var hasAnswered = false
        let isAlive = client.ready(readable: true, writable: false) { kind, content in
            if kind == .hello { return true }
            var content = FrameContent(content)
            if kind == .readiness, content.integer(UInt64.self) == ticket { hasAnswered = true }
            // Frames that storage broadcasts to all edges may come first.
            return kind == .readiness || kind == .key
        }
        storage = consume client
        return hasAnswered ? true : isAlive ? nil : false
    }
}

extension HealthCheck {
    /// The first one comes an interval from now.
    static func configured(_ settings: Settings) -> HealthCheck {
        HealthCheck(
            directory: settings.text(.runDirectory),
            interval: Int64(settings.integer(.healthInterval)) * 1_000_000_000, now: Clock.monotonic())
    }
}

extension Watchdog {
    /// Records the result of a check.
    func record(_ result: HealthCheck.Result) {
        let before = scoreboard.health(result.subject)?.failuresInRow ?? 0
        let failures = scoreboard.recordHealth(
            result.subject, isGood: result.isGood, duration: result.duration, wall: Clock.wall())
        if failures == HealthCheck.failuresToTell {
            log.error("health check failed", metadata: ["of": "\(result.subject)", "times": "\(failures)"])
        } else if result.isGood, before >= HealthCheck.failuresToTell {
            log.notice("health check succeeds again", metadata: ["of": "\(result.subject)"])
        }
    }
}
