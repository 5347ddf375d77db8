import CJSON
import Glibc

/// Reads an envelope in pieces of any size, and keeps only what becomes a row.
///
/// An envelope is a header, then items, each of a header and a payload; headers are JSON objects of one line. A payload is
/// as long as its header's `length` says, or one line.
struct EnvelopeScanner: ~Copyable {
    /// The longest header, in bytes.
    static let headerLimit = 64 << 10
    /// Maximum number of items and empty lines, so that an envelope of nothing else is cheap.
    static let itemLimit = 10_000
    /// A client report larger than this many bytes is ignored.
    private static let reportLimit = 64 << 10

    private enum Stage {
        case envelopeHeader
        case itemHeader
        /// This many bytes are left of a payload; nil when it ends with the line.
        case payload(left: Int?)
        /// After a payload of known length.
        case payloadEnd
        /// Nothing more is wanted.
        case done
    }

    private var reader = HeaderReader()
    private var envelope = Envelope()
    private var stage = Stage.envelopeHeader
    private var wantsItems = true
    /// The header that is being read.
    private var line: [UInt8] = []
    private var itemCount = 0
    private var hasUntypedItem = false
    /// The payload that is being kept: its item's kind, and where it begins in `Envelope.kept`.
    private var keeping: (kind: ItemKind, start: Int)?

    /// Begins an envelope.
    ///
    /// - Parameter wantsItems: whether to read more than its header.
    mutating func begin(wantsItems: Bool) {
        envelope = Envelope()
        stage = .envelopeHeader
        self.wantsItems = wantsItems
        line.removeAll(keepingCapacity: true)
        itemCount = 0
        hasUntypedItem = false
        keeping = nil
    }

    /// Whether the envelope's header is still incomplete.
    var isInEnvelopeHeader: Bool {
        if case .envelopeHeader = stage { true } else { false }
    }

    /// Reads more of the envelope.
    ///
    /// Throws `invalidEnvelope`, or `payloadTooLarge` for an event over its limit.
    ///
    /// - Returns: whether anything more is wanted.
    mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(Refusal) -> Bool {
        var position = 0
        while position < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            switch stage {
            case .envelopeHeader, .itemHeader: position += try gatherHeader(rest)
            case .payload(let left?):
                let count = min(left, rest.count)
                try keep(UnsafeRawBufferPointer(rebasing: rest[..<count]))
                position += count
                if count == left { try endPayload(.payloadEnd) } else { stage = .payload(left: left - count) }
            case .payload(nil):
                let end = Self.newline(in: rest)
                try keep(UnsafeRawBufferPointer(rebasing: rest[..<(end ?? rest.count)]))
                position += end.map { $0 + 1 } ?? rest.count
                if end != nil { try endPayload(.itemHeader) }
            case .payloadEnd:
                position += try passPayloadEnd(rest)
            case .done: return false
            }
        }
        if case .done = stage { return false }
        return true
    }

    /// Ends the envelope and returns it.
    ///
    /// Throws `invalidEnvelope` when it is cut short.
    mutating func finish() throws(Refusal) -> Envelope {
        switch stage {
        case .envelopeHeader: try endHeader()
        case .itemHeader where !line.isEmpty: try endHeader()
        case .itemHeader, .payload, .payloadEnd, .done: break
        }
        switch stage {
        case .payload(let left?) where left > 0: throw Self.invalid("an item is shorter than its length")
        case .payload: try endPayload(.done)
        case .envelopeHeader, .itemHeader, .payloadEnd, .done: break
        }
        // An item without a type may have been an event.
        if hasUntypedItem, envelope.items.isEmpty { throw Self.invalid("an item's header has no type") }
        let whole = envelope
        begin(wantsItems: false)
        return whole
    }

    /// Ends an envelope of which no more is read, and returns it; nil when it has no complete event.
    mutating func finishEarly() -> Envelope? {
        guard keeping == nil, envelope.items.contains(where: \.kind.isEvent) else { return nil }
        let part = envelope
        begin(wantsItems: false)
        return part
    }

    // MARK: Headers

    /// - Returns: how many bytes belong to the header, its newline included.
    private mutating func gatherHeader(_ bytes: UnsafeRawBufferPointer) throws(Refusal) -> Int {
        let end = Self.newline(in: bytes)
        let count = end ?? bytes.count
        guard count <= Self.headerLimit - line.count else { throw Self.invalid("a header is longer than 64 KiB") }
        line.append(contentsOf: bytes[..<count])
        if end != nil { try endHeader() }
        return count + (end == nil ? 0 : 1)
    }

    private mutating func endHeader() throws(Refusal) {
        if case .envelopeHeader = stage {
            try endEnvelopeHeader()
            stage = wantsItems ? .itemHeader : .done
            return
        }
        itemCount += 1
        guard itemCount <= Self.itemLimit else { throw Self.invalid("more than \(Self.itemLimit) items") }
        // A trailing newline, or several.
        if line.allSatisfy({ $0 == UInt8(ascii: "\r") }) {
            line.removeAll(keepingCapacity: true)
        } else {
            try endItemHeader()
        }
    }

    private mutating func endEnvelopeHeader() throws(Refusal) {
        var header = Envelope()
        try readHeader("its header is no JSON object") { name, value, content in
            if EventFieldName.isOfEventAlone(name.bytes) { header.hasFieldsOfEvent = true }
            guard value.kind == .string else { return }
            if name.equals("event_id") { header.eventID = SentryEvent.identifier(ofText: content) }
            if name.equals("sent_at") { header.sentAt = SentryEvent.time(ofText: content) }
            if name.equals("dsn") {
                let dsn = DSN(content)
                header.credential = dsn.map { .key($0.key) } ?? .malformed
                header.project = dsn?.project ?? .unnamed
            }
        }
        envelope = header
    }

    private mutating func endItemHeader() throws(Refusal) {
        var kind: ItemKind?
        var length: Int?
        var isLengthValid = true
        try readHeader("an item's header is no JSON object") { name, value, content in
            if name.equals("type"), value.kind == .string { kind = ItemKind(content) }
            if name.equals("length") {
                length = value.wholeNumber
                isLengthValid = length != nil || value.kind == .null
            }
        }
        guard isLengthValid else { throw Self.invalid("an item's length is no whole number") }
        if kind == nil { hasUntypedItem = true }
        beginItem(kind ?? .other)
        stage = .payload(left: length)
        if length == 0 { try endPayload(.payloadEnd) }
    }

    /// Calls `use` with each member of the header that is in `line`, which is empty afterwards.
    private mutating func readHeader(
        _ fault: StaticString, _ use: (mesher_json_value, mesher_json_value, UnsafeRawBufferPointer) -> Void
    ) throws(Refusal) {
        do throws(Refusal) {
            try reader.forEachMember(of: &line, use)
        } catch {
            throw error.reason == .unavailable ? error : Self.invalid(fault)
        }
        line.removeAll(keepingCapacity: true)
    }

    // MARK: Payloads

    /// The newline after a payload of known length, perhaps with a carriage return before it.
    ///
    /// - Returns: how many bytes it has here.
    private mutating func passPayloadEnd(_ bytes: UnsafeRawBufferPointer) throws(Refusal) -> Int {
        switch bytes[0] {
        case UInt8(ascii: "\n"): stage = .itemHeader
        case UInt8(ascii: "\r") where line.isEmpty: line.append(bytes[0])
        default: throw Self.invalid("no newline after an item's payload")
        }
        if case .itemHeader = stage { line.removeAll(keepingCapacity: true) }
        return 1
    }

    private mutating func beginItem(_ kind: ItemKind) {
        switch kind {
        case .event, .feedback:
            if envelope.items.contains(where: \.kind.isEvent) { envelope.surplus += 1 } else { startKeeping(kind) }
        case .userReport:
            if envelope.items.contains(where: { $0.kind == .userReport }) {
                envelope.surplus += 1
            } else {
                startKeeping(kind)
            }
        case .clientReport:
            envelope.unsupported += 1
            startKeeping(kind)
        case .other: envelope.unsupported += 1
        }
    }

    private mutating func startKeeping(_ kind: ItemKind) {
        keeping = (kind, envelope.kept.count)
    }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        guard let keeping else { return }
        let size = envelope.kept.count - keeping.start
        if keeping.kind == .clientReport, bytes.count > Self.reportLimit - size {
            envelope.kept.removeSubrange(keeping.start...)
            self.keeping = nil
        } else if bytes.count > Limits.eventBytes - size {
            throw .payloadTooLarge
        } else {
            envelope.kept.append(contentsOf: bytes)
        }
    }

    private mutating func endPayload(_ next: Stage) throws(Refusal) {
        stage = next
        guard let (kind, start) = keeping else { return }
        keeping = nil
        if kind == .clientReport {
            var report = Array(envelope.kept[start...])
            envelope.kept.removeSubrange(start...)
            envelope.discards.add(&report, &reader)
        } else {
            envelope.items.append(Envelope.Item(kind: kind, range: start..<envelope.kept.count))
        }
    }

    private static func newline(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress, let found = memchr(base, 0x0a, bytes.count) else { return nil }
        return UnsafeRawPointer(found) - base
    }

    private static func invalid(_ what: String) -> Refusal {
        Refusal(.invalidEnvelope, "invalid envelope: \(what)")
    }

    private static func invalid(_ what: StaticString) -> Refusal {
        Refusal(.invalidEnvelope, "invalid envelope: \(what)")
    }
}
