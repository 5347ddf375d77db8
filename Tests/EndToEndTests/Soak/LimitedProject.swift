import Foundation
import Synchronization
import TestServers
import Testing

/// A project that is sent more than its limit allows, and what it was granted.
final class LimitedProject: Sendable, CustomStringConvertible {
    /// Events, and seconds.
    static let limit = 30
    static let window = 5

    /// Events that were accepted together.
    struct Grant: Sendable {
        /// They were counted in between.
        let sentAt: Ledger.Instant
        let answeredAt: Ledger.Instant
        let events: Int
        /// Whether Redis has counted them. The host has where a worker misses Redis, and its answer says nothing of the
        /// limit.
        let isCounted: Bool
    }

    let project: Project
    let ledger = Ledger()
    private let granted = Mutex<[Grant]>([])

    var grants: [Grant] { granted.withLock { $0 } }

    /// Whether the limit ever stood in the way of an event.
    var hasBeenRefused: Bool { ledger.state.refusals.keys.contains { $0.hasSuffix(" rate_limited") } }

    /// Makes it, and returns when the workers know its limit.
    init(on stack: Stack) throws {
        project = try Project.create(on: stack)
        try stack.mesher(
            "project", "set", project.slug, "--rate-limit", "\(Self.limit)", "--rate-limit-window", "\(Self.window)")
        let policy = "\"project\";q=\(Self.limit);w=\(Self.window)"
        let isKnown = try eventually { [project] in
            try (0..<8).allSatisfy { _ in try project.post("{}").header("RateLimit-Policy") == policy }
        }
        try #require(isKnown)
    }

    /// A client that sends so many events at once, those that were refused once more.
    func client(sending count: Int) -> () throws -> Void {
        let connection = KeptConnection(to: project, ledger)
        var events: [SoakEvent] = []
        return { [self] in
            while events.count < count { events.append(ledger.next()) }
            let sentAt = ContinuousClock.now
            if count == 1 {
                try connection.send(events[0].json, to: "/api/v1/events")
            } else {
                try connection.send("[\(events.map(\.json).joined(separator: ","))]", to: "/api/v1/events/bulk")
            }
            let response = try connection.receive()
            let rest = SoakAnswer(response).settle(events, by: count == 1 ? .single : .bulk, sentAt: sentAt, ledger)
            let grant = Grant(
                sentAt: sentAt, answeredAt: .now, events: events.count - rest.count,
                isCounted: response.header("RateLimit") != nil)
            if grant.events > 0 { granted.withLock { $0.append(grant) } }
            events = rest
        }
    }

    /// Seconds after Redis was killed within which it is back, without what it had counted.
    private static let comeback = 15

    /// Looks at any time of one window's length, and at all of it.
    ///
    /// - Parameter restarts: when Redis was killed, each of which begins a window anew.
    /// - Returns: where more was granted than the windows that such a time can touch allow, in words.
    static func excess(in grants: [Grant], restarts: [Ledger.Instant]) -> String? {
        guard let begin = grants.map(\.sentAt).min(), let end = grants.map(\.answeredAt).max() else { return nil }
        let all = Int(begin.duration(to: end) / .seconds(window)) + 1
        for isCounted in [true, false] {
            let some = grants.filter { $0.isCounted == isCounted }
            for (first, windows) in some.map({ ($0.sentAt, 1) }) + [(begin, all)] {
                let last = first + .seconds(window * windows)
                let events = some.reduce(0) { $0 + ($1.sentAt >= first && $1.answeredAt < last ? $1.events : 0) }
                let anew = restarts.count { $0 >= first - .seconds(comeback) && $0 < last }
                guard events > limit * (windows + 1 + (isCounted ? anew : 0)) else { continue }
                return "BROKEN, \(events) by \(isCounted ? "Redis" : "the host") in \(windows) windows, "
                    + "\(first - begin) after the first, Redis restarted \(anew) times"
            }
        }
        return nil
    }

    var description: String {
        func events(_ isCounted: Bool) -> Int { grants.reduce(0) { $0 + ($1.isCounted == isCounted ? $1.events : 0) } }
        let refusals = ledger.state.refusals.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value) times" }
        return "project of \(Self.limit) events in \(Self.window) s: \(events(true)) granted by Redis, "
            + "\(events(false)) by the host; " + refusals.joined(separator: ", ")
    }
}
