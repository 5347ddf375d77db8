internal import StorageChannel

/// What an envelope holds, as far as it is used: its header's fields, and the items that become rows.
struct Envelope {
    /// Of the header: the id of the event in it, which wins over the event's own.
    var eventID: UInt128?
    /// Of the header: it has what only an event has.
    var hasFieldsOfEvent = false
    /// Of the header: when it was sent by the sender's clock, in microseconds since 1970.
    var sentAt: Int64?
    /// Of the header: whose it is, where nothing outside says so.
    var credential = Credential.none
    /// Of the header's DSN.
    var project = ProjectClaim.none

    /// The bytes of the items that are stored, one behind another.
    var kept: [UInt8] = []
    var items: [Item] = []
    /// Items of kinds that are only counted.
    var unsupported = 0
    /// Events beyond the first.
    var surplus = 0
    var discards = ClientDiscards()

    /// An item that becomes a row.
    struct Item {
        let kind: ItemKind
        /// Where it is in `kept`.
        let range: Range<Int>
    }
}

/// What is left of an envelope once its items were found.
struct EnvelopeSummary {
    let eventID: UInt128?
    let unsupported: Int
    let surplus: Int
    let discards: ClientDiscards
}

extension Envelope {
    var summary: EnvelopeSummary {
        EnvelopeSummary(eventID: eventID, unsupported: unsupported, surplus: surplus, discards: discards)
    }

    func form(of item: Item, _ sender: SentrySender) -> EventForm {
        switch item.kind {
        case .userReport: .userReport
        case .event, .feedback, .clientReport, .other:
            .sentry(
                id: eventID, sentAt: sentAt ?? sender.sentAt, client: sender.client, address: sender.address)
        }
    }
}
