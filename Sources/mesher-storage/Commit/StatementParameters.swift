import Schema
import StorageChannel

/// The parameters of `InsertStatement` for some events of a batch: a binary array for each column (number of dimensions,
/// whether a NULL is in it, element type, length, lower bound, elements).
struct StatementParameters: ~Copyable {
    private static let headerSize = 20

    private var bytes: [UInt8] = []
    /// The parameters in `bytes`.
    private var ranges: [Range<Int>] = []

    /// Builds the parameters anew, in the memory of the last ones.
    ///
    /// - Parameter columns: how many the database has; what an event has beyond them is left out.
    mutating func encode(_ batch: borrowing Batch, _ range: Range<Int>, columns: Int = InsertStatement.columns.count) {
        layOut(batch, range, columns)
        copyElements(batch, range)
    }

    /// Calls `body` with the parameters; they are valid inside it only.
    func withParameters<Result>(_ body: (UnsafeBufferPointer<UnsafeRawBufferPointer>) -> Result) -> Result {
        bytes.withUnsafeBytes { bytes in
            let parameters = ranges.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
            return parameters.withUnsafeBufferPointer(body)
        }
    }

    /// Finds each column's size, and writes the arrays' headers.
    private mutating func layOut(_ batch: borrowing Batch, _ range: Range<Int>, _ columns: Int) {
        var sizes = [Int](repeating: Self.headerSize, count: columns)
        var hasNull = [Bool](repeating: false, count: columns)
        for position in range {
            batch.forEachElement(of: position) { column, element in
                guard column < columns else { return }
                sizes[column] += element.count
                // A value of length 0 and NULL are both an element of 4 bytes; saying "maybe NULL" of the former is allowed.
                if element.count == 4 { hasNull[column] = true }
            }
        }
        bytes.removeAll(keepingCapacity: bytes.capacity <= 2 * CommitPlan.statementBytes)
        bytes.append(contentsOf: repeatElement(0, count: sizes.reduce(0, +)))
        ranges.removeAll(keepingCapacity: true)
        var start = 0
        for (column, size) in sizes.enumerated() {
            let header: [Int32] = [
                1, hasNull[column] ? 1 : 0, Int32(truncatingIfNeeded: InsertStatement.columns[column].element),
                Int32(clamping: range.count), 1,
            ]
            bytes.withUnsafeMutableBytes { bytes in
                for (word, value) in header.enumerated() {
                    bytes.storeBytes(of: value.bigEndian, toByteOffset: start + 4 * word, as: Int32.self)
                }
            }
            ranges.append(start..<start + size)
            start += size
        }
    }

    private mutating func copyElements(_ batch: borrowing Batch, _ range: Range<Int>) {
        var cursors = ranges.map { $0.lowerBound + Self.headerSize }
        bytes.withUnsafeMutableBytes { bytes in
            for position in range {
                batch.forEachElement(of: position) { column, element in
                    guard column < cursors.count else { return }
                    let start = cursors[column]
                    UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + element.count])
                        .copyMemory(from: element)
                    cursors[column] = start + element.count
                }
            }
        }
    }
}

extension Batch {
    /// Calls `body` with each column's position and element; the record was found whole when it was received.
    fileprivate func forEachElement(of position: Int, _ body: (Int, UnsafeRawBufferPointer) -> Void) {
        records.withUnsafeBytes { records in
            let record = UnsafeRawBufferPointer(rebasing: records[entries[position].record])
            _ = EventRecord.forEachElement(of: record, body)
        }
    }
}
