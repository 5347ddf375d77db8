/// One event as storage, the spool and PostgreSQL take it: the columns of table `events` in the order below, each as an
/// element of a binary PostgreSQL array (32-bit length, then so many bytes; length -1 for NULL; network byte order), so
/// that storage copies bytes and converts nothing.
///
/// int8 is 8 bytes; uuid 16; timestamptz 8, microseconds since 2000-01-01T00:00:00Z; date 4, days since 2000-01-01;
/// text and json are UTF-8 without NUL; jsonb is the byte 1 and the text.
///
/// Releases read each other's records: a new column is appended to those below, never put between them. One that an older
/// release did not write is NULL. One that only a newer release knows is left out; it was made from the payload, which has it.
package enum EventRecord {
    /// Each is declared in EventColumn.swift.
    package enum Column: Int, CaseIterable, Sendable {
        case projectID, eventID, receivedAt, timestamp, receivedOn
        case level, message, platform, environment, release, serverName, logger, transaction, sdkName, sdkVersion
        case tags, payload
        case dist, exceptionType, userID
    }

    /// The columns that each record has: those of the first release.
    static let firstColumns = 17

    /// The most columns that a record may have, those of later releases among them.
    static let mostColumns = 64

    /// Microseconds from 1970-01-01 to 2000-01-01.
    package static let epochOffset: Int64 = 946_684_800_000_000

    /// Microseconds in a day.
    package static let day: Int64 = 86_400_000_000

    /// Finds the columns of a record: calls `body` with the position of each that this release knows and its whole element
    /// (length and bytes), in order.
    ///
    /// - Returns: false when the record is cut short, has too many columns, or a length makes no sense; `body` may have
    ///   been called for the columns before the fault.
    package static func forEachElement(
        of record: UnsafeRawBufferPointer, _ body: (Int, UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        forEachElement(of: record, known: Column.allCases.count, body)
    }

    static func forEachElement(
        of record: UnsafeRawBufferPointer, known: Int, _ body: (Int, UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        var offset = 0
        var column = 0
        while column < firstColumns || offset < record.count {
            guard column < mostColumns else { return false }
            guard record.count - offset >= 4 else { return false }
            let length = Int32(bigEndian: record.loadUnaligned(fromByteOffset: offset, as: Int32.self))
            guard length >= -1, Int(max(length, 0)) <= record.count - offset - 4 else { return false }
            let size = 4 + Int(max(length, 0))
            if column < known { body(column, UnsafeRawBufferPointer(rebasing: record[offset..<offset + size])) }
            column += 1
            offset += size
        }
        withUnsafeBytes(of: Int32(-1)) { null in
            for absent in column..<max(column, known) { body(absent, null) }
        }
        return true
    }
}
