/// A WebSocket connection through nginx that is opened again when it is lost, with what has no answer yet.
final class KeptStream {
    private let project: Project
    private let ledger: Ledger
    private var client: StreamClient?
    private var sentAt = ContinuousClock.now
    /// The messages that have no answer: an event each, or an array of them.
    var waiting: [[SoakEvent]] = []

    init(to project: Project, _ ledger: Ledger) {
        self.project = project
        self.ledger = ledger
    }

    /// Sends all that waits.
    ///
    /// - Returns: false when there is no connection now.
    func send() throws -> Bool {
        guard let client = try open() else { return false }
        sentAt = .now
        for events in waiting { client.send(Self.text(events)) }
        return true
    }

    /// Takes the answers to what was sent; what was refused and what has none waits on.
    func receive() {
        guard let client else { return }
        var refused: [[SoakEvent]] = []
        while let events = waiting.first {
            switch client.receive() {
            case .text(let text):
                waiting.removeFirst()
                let rest = SoakAnswer(text).settle(events, by: .stream, sentAt: sentAt, ledger)
                if !rest.isEmpty { refused.append(rest) }
                continue
            case .closed(1_012): ledger.refused("stream closed with 1012")
            case .closed(let code): ledger.violated("stream closed with \(code)")
            case .ended where .now - sentAt >= .seconds(KeptConnection.patience):
                ledger.violated("no answer on a stream")
            case .ended: ledger.refused("stream lost")
            }
            self.client = nil
            break
        }
        waiting = refused + waiting
    }

    private func open() throws -> StreamClient? {
        if let client { return client }
        let opened = try Streams(project: project).open(throughNginx: true, patience: KeptConnection.patience)
        if opened.status == 101 {
            client = opened
        } else {
            SoakAnswer(refused: opened).refuse(by: .stream, ledger)
        }
        return client
    }

    private static func text(_ events: [SoakEvent]) -> String {
        if events.count == 1 { return events[0].json }
        return "[\(events.map(\.json).joined(separator: ","))]"
    }
}
