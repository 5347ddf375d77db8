internal import CJSON
package import StorageChannel

/// Turns the bytes of one event into a record for storage.
package struct EventParser: ~Copyable {
    /// The largest event, in bytes.
    package static let maximumSize = 1_048_576

    private var json = JSONParser(fields: EventFields.names)
    private var room = TextRoom()
    private var scrubber = Scrubber()
    private let sentryPlan = ColumnPlan { _ in true }
    private let nativePlan = ColumnPlan { if case .lenient = $0.native { true } else { false } }
    /// The columns of the event being parsed.
    private let texts = UnsafeMutableBufferPointer<UnsafeRawBufferPointer?>.allocate(
        capacity: EventRecord.Column.allCases.count)

    package init() {
        texts.initialize(repeating: nil)
    }

    deinit {
        texts.deallocate()
    }

    /// Parses an event, and appends one whole `store` frame with its `EventRecord`, which is copied no more after that.
    ///
    /// - Parameters:
    ///   - bytes: The event, behind which `Body.padding` bytes must be readable, whatever they are. Escapes in it that
    ///     PostgreSQL accepts in no text (`\u0000`, lone surrogates) are replaced by `\ufffd` in place.
    ///   - form: What the bytes are.
    ///   - derivedID: The id of an event that has none of its own.
    ///   - receivedAt: Microseconds since 1970-01-01T00:00:00Z.
    ///   - flags: What storage is told beside the record.
    ///   - plan: What is removed from it.
    /// - Returns: The event's id.
    ///
    /// Throws `payloadTooLarge`, `invalidJSON`, `invalidEvent`, and `unavailable` when there is no memory; for the native
    /// form also `missingMessage`, `missingLevel`, `invalidLevel` or `invalidField`, for others also `unsupportedItem`.
    /// Nothing has been appended then.
    package mutating func parse(
        _ bytes: UnsafeMutableRawBufferPointer, as form: EventForm = .native, project: Int64, derivedID: UInt128,
        receivedAt: Int64, ticket: UInt64, flags: StoreFlags, scrubbing plan: ScrubPlan? = nil,
        into frames: inout FrameBlockWriter
    ) throws(Refusal) -> UInt128 {
        guard bytes.count <= Self.maximumSize else { throw Refusal(.payloadTooLarge, "payload too large") }
        defer {
            json.trim()
            room.trim()
            scrubber.trim()
        }
        let columns = try columns(bytes, as: form, plan, project: project, derivedID: derivedID, receivedAt: receivedAt)
        let head = MemoryLayout<UInt64>.size + MemoryLayout<UInt8>.size
        let isWritten = frames.frame(.store, size: head + columns.size) { content in
            var writer = RecordWriter(content)
            writer.integer(ticket)
            writer.integer(flags.rawValue)
            columns.write(to: &writer)
        }
        guard isWritten else { throw .unavailable }
        return columns.id
    }

    private mutating func columns(
        _ bytes: UnsafeMutableRawBufferPointer, as form: EventForm, _ plan: ScrubPlan?, project: Int64,
        derivedID: UInt128, receivedAt: Int64
    ) throws(Refusal) -> EventColumns {
        var columns = EventColumns(project: project, receivedAt: receivedAt, in: texts)
        columns.id = derivedID
        if case .native = form {
            let fields = try fields(of: bytes, .strict, plan)
            try NativeEvent.fill(&columns, from: fields, json, &room)
            nativePlan.fill(&columns, from: fields, SentryException.last(in: fields, json), json, &room)
            return columns
        }
        let fields = try fields(of: bytes, .not_finite, plan)
        columns[.payload] = fields.payload.text
        switch form {
        case .native: break
        case .sentry(let id, let sentAt, let client, let address):
            // Comes first, while there is room for it.
            if let address, plan?.removesUserAddress != true {
                columns.edit = UserAddress.edit(fields, address, json, &room)
            }
            try SentryEvent.fill(&columns, from: fields, id: id, sentAt: sentAt, sentryPlan, json, &room)
            if columns[.sdkName] == nil, let client { SentryEvent.fill(&columns, from: client, &room) }
        case .userReport: UserReport.fill(&columns, from: fields, json, &room)
        case .securityReport(let labels):
            try SecurityReport.fill(&columns, from: fields, plan?.scrubbed(labels) ?? labels, json, &room)
        }
        return columns
    }

    /// The fields of an event without what is to be removed. Its text is checked as it was sent, and once more if that was changed:
    /// then the columns have nothing that the payload has not.
    private mutating func fields(
        of bytes: UnsafeMutableRawBufferPointer, _ dialect: mesher_json_dialect, _ plan: ScrubPlan?
    ) throws(Refusal) -> EventFields {
        var fields = try json.event(in: bytes, dialect)
        if let plan, let scrubbed = scrubber.scrub(fields.payload.bytes, plan) {
            fields = try json.event(in: scrubbed, dialect)
        }
        room.prepare(for: max(bytes.count, Int(fields.payload.count)))
        return fields
    }
}
