internal import Glibc
package import StorageChannel
package import System

/// The spool of a host: events that are on disk and not in PostgreSQL yet, in segment files, oldest first. One process
/// at a time owns it.
///
/// Every start begins a new segment, so that nothing is appended after an incomplete write. Delivered events are
/// remembered only in memory: a segment is removed when all of it is delivered, and after a restart it is delivered
/// again from its beginning, which PostgreSQL's unique key makes harmless.
package final class SpoolDirectory {
    /// How much it may hold.
    package struct Limits: Sendable {
        /// Bytes of all files, the quarantine's as well.
        package let bytes: Int
        /// Bytes of the events of one project.
        package let projectBytes: Int

        package init(bytes: Int, projectBytes: Int) {
            self.bytes = bytes
            self.projectBytes = projectBytes
        }
    }

    /// Why an event does not fit.
    package enum Refusal: Equatable, Sendable {
        case full, projectShare
    }

    /// Size in bytes at which a new segment begins.
    package static let segmentSize = 64 << 20

    package let path: String
    package private(set) var index: SpoolIndex
    private var quarantine: Quarantine
    private let limits: Limits
    private let marker: UInt64
    private let lock: Descriptor
    private let directory: Descriptor
    private var writer: SegmentWriter?
    /// The number of the segment of `writer`.
    private var writing: UInt64?
    private var pending = PendingRecords()
    /// Findings for the operator, until they are taken.
    private var findings: [SpoolFinding] = []

    /// Locks the directory for this process, and creates it, mode 0700, if it is missing. The corresponding C functions
    /// are `mkdir`, `fsync`, `open` and `flock`.
    ///
    /// - Throws: `SystemError`, with EWOULDBLOCK when another process owns it.
    package static func open(_ path: String, limits: Limits) throws(SystemError) -> SpoolDirectory {
        try DirectoryListing.make(path)
        let lock = try lock(path)
        let directory = try DirectoryListing.open(path)
        let quarantine = try Quarantine.open(Self.quarantine(in: path))
        let index = try SpoolIndex(path)
        return SpoolDirectory(path, limits, lock: lock, directory: directory, quarantine, index)
    }

    private init(
        _ path: String, _ limits: Limits, lock: consuming Descriptor, directory: consuming Descriptor,
        _ quarantine: consuming Quarantine, _ index: SpoolIndex
    ) {
        self.path = path
        self.limits = limits
        self.lock = lock
        self.directory = directory
        self.quarantine = quarantine
        self.index = index
        var generator = SystemRandomNumberGenerator()
        marker = generator.next()
    }

    package static func quarantine(in path: String) -> String { path + "/quarantine" }

    /// The corresponding C function is `flock`.
    private static func lock(_ directory: String) throws(SystemError) -> Descriptor {
        let path = directory + "/lock"
        let number = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw SystemError("open", path) }
        let file = Descriptor(adopting: number)
        guard flock(file.number, LOCK_EX | LOCK_NB) == 0 else { throw SystemError("flock", path) }
        return file
    }

    /// Files in the quarantine.
    package var quarantined: Int { quarantine.entries.count }

    /// Bytes on disk, those of the quarantine as well.
    package var size: Int { index.size + quarantine.size }

    /// Its fill level in percent.
    package var percentage: Int { limits.bytes > 0 ? size * 100 / limits.bytes : 100 }

    // MARK: Writing

    /// Takes a record for the next `commit`.
    ///
    /// - Returns: why it is refused; nil when it is accepted.
    package func add(_ head: RecordHead, _ record: UnsafeRawBufferPointer) -> Refusal? {
        let bytes = record.count + SegmentFormat.recordHeaderSize
        guard size + pending.bytes.count + bytes <= limits.bytes else { return .full }
        let ofProject = index.bytes(of: head.project) + pending.bytes(of: head.project)
        guard ofProject + quarantine.bytes(of: head.project) + bytes <= limits.projectBytes else {
            return .projectShare
        }
        pending.add(head, record, marker: marker)
        return nil
    }

    /// Bytes that were taken since the last `commit`.
    package var pendingBytes: Int { pending.bytes.count }

    /// Writes what was taken, and returns when it is on disk.
    ///
    /// - Throws: `SystemError`; then none of it counts as written, and none of it is kept.
    package func commit(wall: Int64) throws(SystemError) {
        guard !pending.bytes.isEmpty else { return }
        defer { pending.removeAll() }
        var open = try takeWriter(wall: wall)
        let isNew = open.length == 0
        do throws(SystemError) {
            try open.append(pending.bytes, directory: directory)
        } catch {
            if open.length == 0 { unlink(open.file.path) }
            if open.isUsable { writer = consume open }
            throw error
        }
        if isNew { index.began(open.file) }
        index.appended(pending, end: open.length)
        writing = open.file.number
        writer = consume open
    }

    private func takeWriter(wall: Int64) throws(SystemError) -> SegmentWriter {
        if let open = writer.take() {
            if let size = open.sizeOnDisk {
                // Nothing after a hole in a truncated file could be relied on.
                if size >= open.length, open.length < Self.segmentSize { return open }
            } else {
                index.forget(open.file.number)
                findings.append(.deleted(open.file.path))
            }
        }
        return try SegmentWriter.create(SegmentFile(index.nextNumber, in: path), marker: marker, wall: wall)
    }

    // MARK: Reading

    /// The oldest events that are not delivered; nil when there are none. The same until `delivered` is called. Call it
    /// when everything is counted.
    ///
    /// - Parameter events: the most of them.
    package func oldest(events: Int) -> SpooledPiece? {
        while let segment = index.next {
            do throws(SegmentFile.Fault) {
                let piece = try segment.file.piece(at: segment.delivered, end: segment.end, events: events)
                if piece.range.isEmpty, segment.delivered < segment.end {
                    dropCut(segment)
                    continue
                }
                index.found(piece.firstHead, in: segment.file.number)
                return SpooledPiece(segment: segment.file.number, content: piece)
            } catch {
                leave(segment, error)
            }
        }
        return nil
    }

    /// All of a piece is in PostgreSQL or in the quarantine.
    package func delivered(_ piece: SpooledPiece) {
        if piece.content.tornBytes > 0 { findings.append(.torn(piece.segment, bytes: piece.content.tornBytes)) }
        guard let file = index.delivered(piece) else { return }
        if writing == file.number { writer = nil }
        if unlink(file.path) != 0 { findings.append(.notRemoved(SystemError("unlink", file.path))) }
    }

    /// Counts some of what earlier processes have left; until all is counted `index` shows too little.
    package func survey() {
        guard let segment = index.uncounted else { return }
        do throws(SegmentFile.Fault) {
            index.counted(segment.file.number, try segment.file.piece(at: segment.counted, end: segment.end))
        } catch {
            leave(segment, error)
        }
    }

    /// Sets aside what PostgreSQL refuses or what is damaged, and returns when it is on disk.
    ///
    /// - Throws: `SystemError`, with ENOSPC also when it would be more than the spool may hold.
    package func setAside(_ items: [QuarantineItem]) throws(SystemError) {
        guard !items.isEmpty else { return }
        let bytes = items.reduce(0) { $0 + $1.bytes.count }
        guard size + bytes <= limits.bytes else { throw SystemError("set aside", quarantine.path, code: ENOSPC) }
        try quarantine.add(items)
    }

    /// Looks at the quarantine again, from which the operator may have taken something.
    package func refreshQuarantine() throws(SystemError) {
        try quarantine.refresh()
    }

    package func takeFindings() -> [SpoolFinding] {
        defer { findings = [] }
        return findings
    }

    /// A truncated file counts as delivered when all that is left of it is.
    private func dropCut(_ segment: SpoolIndex.Segment) {
        if writing == segment.file.number { writer = nil }
        index.forget(segment.file.number)
        findings.append(.cut(segment.file.path, bytes: segment.end - segment.delivered))
        if unlink(segment.file.path) != 0 { findings.append(.notRemoved(SystemError("unlink", segment.file.path))) }
    }

    /// An unreadable file is left alone; a later start tries it again.
    private func leave(_ segment: SpoolIndex.Segment, _ fault: SegmentFile.Fault) {
        if writing == segment.file.number { writer = nil }
        if case .system(let error) = fault, error.code == ENOENT {
            index.forget(segment.file.number)
            findings.append(.deleted(segment.file.path))
        } else {
            index.leave(segment.file.number)
            findings.append(.left(fault))
        }
    }
}

extension SegmentFile.Piece {
    fileprivate var firstHead: RecordHead? {
        bytes.withUnsafeBytes { bytes in
            records.first.flatMap { RecordHead(UnsafeRawBufferPointer(rebasing: bytes[$0])) }
        }
    }
}

extension Quarantine {
    /// Bytes of the files of one project.
    func bytes(of project: Int64) -> Int {
        entries.isEmpty ? 0 : entries.reduce(0) { $0 + ($1.project == project ? $1.bytes : 0) }
    }
}
