internal import Ingestion
internal import StorageChannel
internal import System

/// An event as a line: its payload, which is what was sent. Where that does not say the id or the time that the row has, they are
/// added as its last members, which count when a name comes twice.
struct ExportLine {
    /// Without its end.
    let text: [UInt8]
    /// The route that takes it back as the same row; nil when none does.
    let route: Route?

    enum Route: Equatable {
        /// Bulks, single events and `mesher stream`.
        case native
        /// The route of older Sentry SDKs, one event a request.
        case store
    }
}

/// Makes lines, and finds out what becomes of them by the parser that takes events.
struct ExportLineMaker: ~Copyable {
    private var parser = EventParser()

    init() {}

    mutating func line(of row: ExportedRow) -> ExportLine {
        let payload = Self.withoutLineBreaks(row[.payload] ?? "{}")
        for (form, route) in [(EventForm.native, ExportLine.Route.native), (.sentry(id: nil, sentAt: nil), .store)] {
            guard let plain = parsed(payload, form) else { continue }
            var text = payload
            // The columns of an event without a time, or with one that was not believed, have that of its receipt.
            if plain[.timestamp] != row[.timestamp], let time = row[.timestamp] {
                text = Self.adding("timestamp", time, to: text)
            }
            if plain.id != row.position.id { text = Self.adding("event_id", row.position.id, to: text) }
            let event = text.count == payload.count ? plain : parsed(text, form)
            if let event, Self.isSame(event, row) { return ExportLine(text: text, route: route) }
        }
        let isNamed = id(of: payload) == row.position.id
        return ExportLine(
            text: isNamed ? payload : Self.adding("event_id", row.position.id, to: payload), route: nil)
    }

    /// The id of a line's event, 32 hex digits; nil when it has none.
    mutating func id(of line: [UInt8]) -> String? {
        guard let id = parsed(line, .sentry(id: nil, sentAt: nil))?.id, id != Self.none else { return nil }
        return id
    }

    private static let none = String(repeating: "0", count: 32)

    /// What would be stored of an event that came now; nil when it would be refused.
    private mutating func parsed(_ text: [UInt8], _ form: EventForm) -> SpooledEvent? {
        var body = Body(count: text.count)
        body.withUnsafeMutableBytes { $0.copyBytes(from: text) }
        var frames = FrameBlockWriter()
        let isTaken = body.withUnsafeMutableBytes { bytes in
            (try? parser.parse(
                bytes, as: form, project: 0, derivedID: 0, receivedAt: Clock.wall(), ticket: 0, flags: [],
                into: &frames)) != nil
        }
        guard isTaken else { return nil }
        // Ticket and flags come before the record.
        return SpooledEvent(Array(frames.bytes.dropFirst(Frame.headerSize + 9)))
    }

    /// Whether an event has the columns of a row, but for when it was received and by which project.
    private static func isSame(_ event: SpooledEvent, _ row: ExportedRow) -> Bool {
        EventRecord.Column.allCases.allSatisfy { column in
            let (new, old) = (event[column], row[column])
            switch column {
            case .projectID, .receivedAt, .receivedOn, .payload: return true
            case .tags: return new == old || TagValue.isSame(new, old)
            // The header of a request may have said what the event does not.
            case .sdkName, .sdkVersion: return new == old || new == nil
            // An older release has not filled it in.
            default: return new == old || old == nil && column.declaration.since > 1
            }
        }
    }

    /// A bare line break is mere white space.
    private static func withoutLineBreaks(_ text: String) -> [UInt8] {
        text.utf8.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
    }

    private static func adding(_ name: String, _ value: String, to object: [UInt8]) -> [UInt8] {
        guard let end = object.lastIndex(of: UInt8(ascii: "}")) else { return object }
        let last = object[..<end].last { $0 != 0x20 && $0 != 0x09 }
        let member = "\(last == UInt8(ascii: "{") ? "" : ",")\"\(name)\":\"\(value)\""
        return object[..<end] + Array(member.utf8) + object[end...]
    }
}
