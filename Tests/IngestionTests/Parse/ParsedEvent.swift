import StorageChannel

@testable import Ingestion

/// What became of an event, taken apart again.
struct ParsedEvent: Equatable {
    let id: UInt128
    let ticket: UInt64
    let flags: StoreFlags
    /// The bytes of each column; nil is NULL.
    let columns: [[UInt8]?]

    static let receivedAt: Int64 = 1_700_000_000_000_000
    static let derivedID: UInt128 = 0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF

    subscript(column: EventRecord.Column) -> [UInt8]? { columns[column.rawValue] }

    func text(_ column: EventRecord.Column) -> String? {
        self[column].map { String(decoding: $0, as: UTF8.self) }
    }

    func integer(_ column: EventRecord.Column) -> Int64? {
        guard let bytes = self[column] else { return nil }
        let negative = bytes.count == 4 && bytes[0] & 0x80 != 0
        return bytes.reduce(negative ? -1 : 0) { $0 << 8 | Int64($1) }
    }

    /// The timestamp in microseconds since 1970.
    var timestamp: Int64? { integer(.timestamp).map { $0 + EventRecord.epochOffset } }
}

extension EventRecord.Column {
    /// Those that each event has, whatever was sent.
    static let ofEveryEvent: Set<Self> = [
        .projectID, .eventID, .receivedAt, .timestamp, .receivedOn, .level, .message, .payload,
    ]
}

extension EventParser {
    /// Parses bytes that lie between others, which must stay as they are, and reads the frame.
    mutating func parsed(
        _ bytes: [UInt8], as form: EventForm = .native, receivedAt: Int64 = ParsedEvent.receivedAt
    ) throws(Refusal) -> ParsedEvent {
        let margin: [UInt8] = Array("}\"]".utf8) + [UInt8](repeating: UInt8(ascii: "}"), count: 61)
        var surrounded = margin + bytes + margin
        var frames = FrameBlockWriter()
        _ = frames.frame(.hello, size: 3) { $0.copyBytes(from: [1, 2, 3]) }
        let before = Array(frames.bytes)
        let result = surrounded.withUnsafeMutableBytes { buffer -> Result<UInt128, Refusal> in
            let event = UnsafeMutableRawBufferPointer(rebasing: buffer[64..<64 + bytes.count])
            do throws(Refusal) {
                return .success(
                    try parse(
                        event, as: form, project: 42, derivedID: ParsedEvent.derivedID, receivedAt: receivedAt,
                        ticket: 7, flags: .counted, into: &frames))
            } catch {
                return .failure(error)
            }
        }
        precondition(Array(surrounded.prefix(64)) == margin && Array(surrounded.suffix(64)) == margin)
        switch result {
        case .failure(let refusal):
            precondition(Array(frames.bytes) == before, "a refused event left something behind")
            throw refusal
        case .success(let id):
            return Self.read(Array(frames.bytes.dropFirst(before.count)), id: id)
        }
    }

    mutating func parsed(_ text: String, as form: EventForm = .native) throws(Refusal) -> ParsedEvent {
        try parsed(Array(text.utf8), as: form)
    }

    /// Whether bytes are taken, and if not, why.
    mutating func refusal(of bytes: [UInt8], as form: EventForm = .native) -> Refusal? {
        do throws(Refusal) {
            _ = try parsed(bytes, as: form)
            return nil
        } catch {
            return error
        }
    }

    mutating func refusal(of text: String, as form: EventForm = .native) -> Refusal? {
        refusal(of: Array(text.utf8), as: form)
    }

    private static func read(_ bytes: [UInt8], id: UInt128) -> ParsedEvent {
        bytes.withUnsafeBytes { bytes in
            var frame = FrameContent(bytes)
            let length = frame.integer(UInt32.self)
            precondition(Int(length) == bytes.count - 4, "the frame names another length than it has")
            precondition(frame.integer(UInt8.self) == FrameKind.store.rawValue)
            let ticket = frame.integer(UInt64.self)
            let flags = StoreFlags(rawValue: frame.integer())
            var columns: [[UInt8]?] = []
            let isWhole = EventRecord.forEachElement(of: frame.remainder()) { _, element in
                let isNull = element.prefix(4).allSatisfy { $0 == 0xFF }
                columns.append(isNull ? nil : Array(element.dropFirst(4)))
            }
            precondition(isWhole && frame.isIntact, "the record is not whole")
            return ParsedEvent(id: id, ticket: ticket, flags: flags, columns: columns)
        }
    }
}
