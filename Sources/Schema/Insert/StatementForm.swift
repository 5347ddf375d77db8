package import StorageChannel

/// For which events the statement that stores them is made.
package struct StatementForm: Equatable, Sendable {
    /// In days since 2000-01-01.
    package let day: Int32
    /// Whether a host with another clock may store one of them under another day at the same moment.
    package let claims: Bool

    package init(day: Int32, claims: Bool) {
        self.day = day
        self.claims = claims
    }

    /// - Parameters:
    ///   - heads: those of events of one day.
    ///   - margin: microseconds before and after a midnight; 0 for no claims at all.
    package init(of heads: [RecordHead], margin: Int64) {
        day = heads.first?.receivedOn ?? 0
        claims = margin > 0 && heads.contains { Self.isNearMidnight($0.receivedAt, margin: margin) }
    }

    package static func isNearMidnight(_ time: Int64, margin: Int64) -> Bool {
        let remainder = time % EventRecord.day
        let sinceMidnight = remainder < 0 ? remainder + EventRecord.day : remainder
        return sinceMidnight < margin || EventRecord.day - sinceMidnight <= margin
    }
}
