internal import Notation
package import StorageChannel

/// An item of the quarantine, with its description.
package struct QuarantineItem: Sendable {
    package let kind: Quarantine.Kind
    /// 0 when unknown.
    package let project: Int64
    package let bytes: [UInt8]
    /// Why PostgreSQL refuses the event: five characters of its appendix A.
    package let sqlState: String?
    /// PostgreSQL's message, which may quote what the sender sent; nil for damaged bytes.
    package let reason: String?
    private let members: [(name: String, value: String)]

    /// An event that PostgreSQL refuses.
    ///
    /// - Parameters:
    ///   - sqlState: five characters of PostgreSQL's appendix A; nil when it gave no answer.
    ///   - reason: why, in words.
    ///   - wall: now, in microseconds since 1970.
    package init(event record: [UInt8], _ head: RecordHead, sqlState: String?, reason: String, wall: Int64) {
        kind = .event
        project = head.project
        bytes = record
        self.sqlState = sqlState.map { $0.filter { $0.isLetter || $0.isNumber } }
        self.reason = reason
        members =
            Self.members(wall) + [
                ("project", "\(head.project)"), ("event", "\"\(head.eventID.hexDigits)\""),
                ("sqlstate", self.sqlState.map { "\"\($0)\"" } ?? "null"), ("reason", Self.quoted(reason)),
            ]
    }

    /// Damaged bytes of a segment.
    ///
    /// - Parameter offset: where they begin in the segment.
    package init(damaged bytes: [UInt8], segment: UInt64, offset: Int, wall: Int64) {
        kind = .damaged
        project = 0
        self.bytes = bytes
        sqlState = nil
        reason = nil
        members = Self.members(wall) + [("segment", "\(segment)"), ("offset", "\(offset)")]
    }

    /// The line of JSON, a line break, the bytes.
    var file: [UInt8] {
        let checksum = bytes.withUnsafeBytes { SegmentFormat.checksum($0) }
        let all = [("version", "1"), ("kind", "\"\(kind.rawValue)\"")] + members + [("checksum", "\(checksum)")]
        let line = "{" + all.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}\n"
        return Array(line.utf8) + bytes
    }

    /// A JSON string; a very long one is truncated.
    private static func quoted(_ text: String) -> String {
        JSONString.quoted(String(String.UnicodeScalarView(text.unicodeScalars.prefix(500))))
    }

    private static func members(_ wall: Int64) -> [(name: String, value: String)] {
        [("set_aside_at", "\(Double(wall / 1_000) / 1_000)")]
    }
}
