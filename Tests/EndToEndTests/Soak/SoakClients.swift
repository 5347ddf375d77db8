import Foundation
import Synchronization

/// The programs that send in a soak, each paced and in a thread of its own. Each sends an event until it is acknowledged;
/// some ids are sent by all routes at once, some again later.
final class SoakClients: Sendable {
    private let project: Project
    private let limited: LimitedProject
    private let ledger: Ledger
    private let isOver = Atomic(false)
    private let running = DispatchGroup()

    init(of project: Project, _ limited: LimitedProject, _ ledger: Ledger) {
        self.project = project
        self.limited = limited
        self.ledger = ledger
    }

    /// About 350 events a second, and 40 of the limited project.
    func start() {
        for _ in 0..<3 { run(everyMilliseconds: 25) { self.singles() } }
        for format in BulkFormat.allCases { run(everyMilliseconds: 400) { self.bulks(format) } }
        for _ in 0..<3 { run(everyMilliseconds: 40) { self.streams() } }
        run(everyMilliseconds: 100) { self.atOnce() }
        for count in [1, 3] { run(everyMilliseconds: 100) { self.limited.client(sending: count) } }
    }

    /// Returns when all have taken their last answer.
    func stop() {
        isOver.store(true, ordering: .relaxed)
        running.wait()
    }

    /// - Parameter make: makes what the client does at each turn.
    private func run(everyMilliseconds pause: Int, _ make: @escaping @Sendable () -> () throws -> Void) {
        running.enter()
        Thread.detachNewThread { [self] in
            defer { running.leave() }
            let turn = make()
            while !isOver.load(ordering: .relaxed) {
                let next = ContinuousClock.now + .milliseconds(pause)
                do {
                    try turn()
                } catch {
                    ledger.violated("\(error)")
                }
                let rest = ContinuousClock.now.duration(to: next)
                if rest > .zero { usleep(UInt32(rest / .microseconds(1))) }
            }
        }
    }

    /// An event to send; now and then one that was sent before.
    private func event() -> SoakEvent {
        (Int.random(in: 0..<16) == 0 ? ledger.any() : nil) ?? ledger.next()
    }

    // MARK: The clients

    private func singles() -> () throws -> Void {
        let connection = KeptConnection(to: project, ledger)
        var event: SoakEvent?
        return { [self] in
            let current = event ?? self.event()
            event = current
            let sentAt = ContinuousClock.now
            try connection.send(current.json, to: "/api/v1/events")
            let answer = SoakAnswer(try connection.receive())
            event = answer.settle([current], by: .single, sentAt: sentAt, ledger).first
        }
    }

    private enum BulkFormat: CaseIterable {
        case array, lines
    }

    private func bulks(_ format: BulkFormat) -> () throws -> Void {
        let connection = KeptConnection(to: project, ledger)
        var events: [SoakEvent] = []
        return { [self] in
            while events.count < 20 { events.append(event()) }
            let sentAt = ContinuousClock.now
            let texts = events.map(\.json)
            let target = "/api/v1/events/bulk"
            switch format {
            case .array: try connection.send("[\(texts.joined(separator: ","))]", to: target)
            case .lines:
                try connection.send(texts.joined(separator: "\n"), to: target, type: "application/x-ndjson")
            }
            let answer = SoakAnswer(try connection.receive())
            events = answer.settle(events, by: .bulk, sentAt: sentAt, ledger)
        }
    }

    private func streams() -> () throws -> Void {
        let stream = KeptStream(to: project, ledger)
        return { [self] in
            while stream.waiting.count < 3 { stream.waiting.append([event()]) }
            if Bool.random() { stream.waiting.append((0..<3).map { _ in event() }) }
            guard try stream.send() else { return }
            stream.receive()
        }
    }

    /// One id over all routes, before any of them has answered.
    private func atOnce() -> () throws -> Void {
        let (single, bulk) = (KeptConnection(to: project, ledger), KeptConnection(to: project, ledger))
        let stream = KeptStream(to: project, ledger)
        return { [self] in
            let event = ledger.next()
            stream.waiting = [[event]]
            let sentAt = ContinuousClock.now
            let isStreaming = try stream.send()
            try single.send(event.json, to: "/api/v1/events")
            try bulk.send("[\(event.json)]", to: "/api/v1/events/bulk")
            _ = SoakAnswer(try single.receive()).settle([event], by: .single, sentAt: sentAt, ledger)
            _ = SoakAnswer(try bulk.receive()).settle([event], by: .bulk, sentAt: sentAt, ledger)
            if isStreaming { stream.receive() }
        }
    }
}
