import Foundation

/// What a client was told of the events of one request or message.
struct SoakAnswer {
    /// The refusals that an event which is as it should be may meet, by `reason`.
    private static let refusals = ["unavailable": 503, "rate_limited": 429, "too_many_connections": 429]

    /// Nil on a stream.
    private let status: Int?
    private let text: String
    private let content: [String: Any]
    /// Whether a refusal says when to come again, where the contract wants that.
    private let saysWhen: Bool

    init(_ response: HTTPResponse) {
        status = response.status
        text = response.text
        content = response.json
        saysWhen = response.header("Retry-After").flatMap { Int($0) } ?? 0 >= 1
    }

    /// What a refused upgrade was answered with.
    init(refused upgrade: StreamClient) {
        let saysWhen = upgrade.head.lowercased().contains("\r\nretry-after: ")
        self.init(upgrade.body, status: upgrade.status, saysWhen: saysWhen)
    }

    /// A message of a stream, whose refusals need not say when.
    init(_ text: String) {
        self.init(text, status: nil, saysWhen: true)
    }

    private init(_ text: String, status: Int?, saysWhen: Bool) {
        self.status = status
        self.text = text
        self.saysWhen = saysWhen
        content = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
    }

    /// Notes what became of each event.
    ///
    /// - Returns: those to be sent again.
    func settle(_ events: [SoakEvent], by route: Ledger.Route, sentAt: Ledger.Instant, _ ledger: Ledger) -> [SoakEvent]
    {
        // A bulk of which the limit grants nothing is answered event by event, too.
        let isRejected = content["status"] as? String == "rejected"
        guard let ids = content["ids"] as? [Any] ?? content["id"].map({ [$0] }),
            status == nil || status == (isRejected ? 429 : 202), saysWhen || !isRejected
        else {
            refuse(by: route, ledger)
            return events
        }
        let errors = content["errors"] as? [[String: Any]] ?? []
        var rest: [SoakEvent] = []
        for (position, event) in events.enumerated() {
            if position < ids.count, ids[position] as? String == event.id {
                ledger.acknowledged(event, by: route, sentAt: sentAt)
            } else {
                rest.append(event)
            }
        }
        if ids.count != events.count || rest.count != errors.count || isRejected != (rest.count == events.count) {
            ledger.violated("\(route): \(text.prefix(300))")
        }
        for error in errors {
            refuse(error["status"] as? Int, error["reason"] as? String, saysWhen: true, by: route, ledger)
        }
        return rest
    }

    /// Notes that all of it was refused.
    func refuse(by route: Ledger.Route, _ ledger: Ledger) {
        refuse(status, content["reason"] as? String, saysWhen: saysWhen, by: route, ledger)
    }

    private func refuse(
        _ status: Int?, _ reason: String?, saysWhen: Bool, by route: Ledger.Route, _ ledger: Ledger
    ) {
        guard let reason, let expected = Self.refusals[reason], status ?? expected == expected, saysWhen else {
            return ledger.violated("\(route): \(status ?? 0) \(text.prefix(300))")
        }
        ledger.refused("\(route): \(expected) \(reason)")
    }
}
