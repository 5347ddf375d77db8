internal import Glibc
internal import StorageChannel
package import System

/// What is known about the segments without reading them again: length, progress of delivery, content.
package struct SpoolIndex: Sendable {
    package struct Segment: Sendable {
        package let file: SegmentFile
        /// Where what is on disk for certain ends.
        package internal(set) var end: Int
        /// How far it is delivered, and how far it was counted.
        package internal(set) var delivered = 0
        package internal(set) var counted = 0
        package internal(set) var events = 0
        /// When the first event that is not delivered was received, in microseconds since 2000-01-01.
        package internal(set) var oldest: Int64?
        package internal(set) var isLeft = false
        var projects: [Int64: Int] = [:]
    }

    /// Oldest first.
    package private(set) var segments: [Segment] = []
    private var projects: [Int64: Int] = [:]
    private(set) var nextNumber: UInt64 = 1

    /// Lists the segments of a directory.
    package init(_ path: String) throws(SystemError) {
        let numbers = try DirectoryListing.names(of: path).compactMap { SegmentFile.number(of: $0) }
        for number in numbers.sorted() {
            let file = SegmentFile(number, in: path)
            var status = stat()
            guard stat(file.path, &status) == 0 else { continue }
            segments.append(Segment(file: file, end: Int(status.st_size)))
        }
        nextNumber = (segments.last?.file.number ?? 0) &+ 1
    }

    /// Bytes of the segments.
    package var size: Int { segments.reduce(0) { $0 + $1.end } }

    /// Events that are not delivered, as far as they are counted.
    package var events: Int { segments.reduce(0) { $0 + $1.events } }

    /// When the oldest event was received, in microseconds since 2000-01-01.
    package var oldest: Int64? { segments.lazy.compactMap(\.oldest).first }

    /// Whether nothing can be delivered.
    package var isEmpty: Bool { next == nil }

    /// Whether something was left by an earlier process and is not counted yet.
    package var isCounted: Bool { uncounted == nil }

    /// Whose events these are, as far as they are counted.
    package var projectIDs: Set<Int64> { Set(projects.keys) }

    package func bytes(of project: Int64) -> Int { projects[project] ?? 0 }

    /// The segment whose events are to be delivered next.
    var next: Segment? { segments.first { !$0.isLeft } }

    var uncounted: Segment? { segments.first { !$0.isLeft && $0.counted < $0.end } }

    // MARK: Changes

    mutating func began(_ file: SegmentFile) {
        segments.append(Segment(file: file, end: 0))
        nextNumber = max(nextNumber, file.number &+ 1)
    }

    /// Records were written to the last segment, which now ends there.
    mutating func appended(_ records: borrowing PendingRecords, end: Int) {
        guard let place = segments.indices.last else { return }
        segments[place].end = end
        segments[place].counted = end
        segments[place].events += records.events
        if segments[place].oldest == nil { segments[place].oldest = records.oldest }
        for (project, bytes) in records.projects { add(bytes, of: project, at: place) }
    }

    /// A piece of an earlier segment was read for counting.
    mutating func counted(_ number: UInt64, _ piece: SegmentFile.Piece) {
        guard let place = place(of: number), piece.range.lowerBound == segments[place].counted else { return }
        segments[place].counted = piece.isLast ? segments[place].end : piece.range.upperBound
        piece.bytes.withUnsafeBytes { bytes in
            for record in piece.records {
                guard let head = RecordHead(UnsafeRawBufferPointer(rebasing: bytes[record])) else { continue }
                segments[place].events += 1
                if segments[place].oldest == nil { segments[place].oldest = head.receivedAt }
                add(record.count + SegmentFormat.recordHeaderSize, of: head.project, at: place)
            }
        }
    }

    /// - Returns: the file, when nothing is left of it to be delivered and it is forgotten.
    mutating func delivered(_ piece: SpooledPiece) -> SegmentFile? {
        guard let place = place(of: piece.segment), piece.content.range.lowerBound == segments[place].delivered else {
            return nil
        }
        segments[place].delivered = piece.content.range.upperBound
        segments[place].events = max(segments[place].events - piece.content.records.count, 0)
        segments[place].oldest = nil
        guard segments[place].delivered >= segments[place].end else { return nil }
        return remove(at: place).file
    }

    /// Its file is gone.
    mutating func forget(_ number: UInt64) {
        if let place = place(of: number) { _ = remove(at: place) }
    }

    mutating func leave(_ number: UInt64) {
        if let place = place(of: number) { segments[place].isLeft = true }
    }

    /// The first event of a segment that is not delivered was received then.
    mutating func found(_ head: RecordHead?, in number: UInt64) {
        if let head, let place = place(of: number) { segments[place].oldest = head.receivedAt }
    }

    private func place(of number: UInt64) -> Int? {
        segments.firstIndex { $0.file.number == number }
    }

    private mutating func add(_ bytes: Int, of project: Int64, at place: Int) {
        segments[place].projects[project, default: 0] += bytes
        projects[project, default: 0] += bytes
    }

    private mutating func remove(at place: Int) -> Segment {
        let segment = segments.remove(at: place)
        for (project, bytes) in segment.projects {
            let left = (projects[project] ?? 0) - bytes
            projects[project] = left > 0 ? left : nil
        }
        return segment
    }
}
