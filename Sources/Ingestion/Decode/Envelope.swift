internal import StorageChannel

/// The used parts of an envelope: its header's fields, and the items that become rows.
struct Envelope {
    /// From the header: the id of its event, which overrides the event's own.
    var eventID: UInt128?
    /// From the header: it has fields that only an event has.
    var hasFieldsOfEvent = false
    /// From the header: when it was sent by the sender's clock, in microseconds since 1970.
    var sentAt: Int64?
    /// From the header: the credential, if the request has none.
    var credential = Credential.absent
    /// Of the header's DSN.
    var project = ProjectClaim.unnamed

    /// The bytes of the stored items, one after another.
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

/// What is kept of an envelope once its items were found.
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
