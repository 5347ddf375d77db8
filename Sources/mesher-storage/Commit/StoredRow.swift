import Schema
import StorageChannel

/// An event that PostgreSQL stored, the last of moderate size: the example by which it is asked whether it takes any row.
/// What an operator's constraints and triggers ask of a row, this one has.
final class StoredRow {
    /// Bytes of an event that are worth keeping for this.
    private static let limit = 16 << 10

    private var record: [UInt8] = []
    /// A project that has a key, for as long as no event was stored.
    var keyedProject: Int64?

    var isKnown: Bool { !record.isEmpty }

    func note(_ stored: UnsafeRawBufferPointer) {
        guard stored.count <= Self.limit else { return }
        record.removeAll(keepingCapacity: true)
        record.append(contentsOf: stored)
    }

    /// - Parameters:
    ///   - project: the one that is asked for if no other is known.
    ///   - day: the row's `received_on`, in days since 2000-01-01.
    ///   - known: how many columns the database has.
    func probe(project: Int64, day: Int32, columns known: Int) -> String {
        var columns: [[UInt8]?] = []
        var stored: Int64?
        record.withUnsafeBytes { record in
            guard let head = RecordHead(record) else { return }
            stored = head.project
            _ = EventRecord.forEachElement(of: record) { column, element in
                guard (EventRecord.Column.level.rawValue..<known).contains(column) else { return }
                let isNull = element.loadUnaligned(as: Int32.self) == -1
                columns.append(isNull ? nil : Array(element[4...]))
            }
        }
        guard let stored else { return ProbeStatement.sql(project: keyedProject ?? project, day: day) }
        return ProbeStatement.sql(project: stored, day: day, columns: columns)
    }
}
