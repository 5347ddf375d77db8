internal import StorageChannel

/// Records that wait to be written together, in the file's format.
struct PendingRecords: ~Copyable {
    private(set) var bytes: [UInt8] = []
    private(set) var events = 0
    /// Microseconds since 2000-01-01, of the first of them.
    private(set) var oldest: Int64?
    private(set) var projects: [Int64: Int] = [:]

    mutating func add(_ head: RecordHead, _ record: UnsafeRawBufferPointer, marker: UInt64) {
        let before = bytes.count
        SegmentFormat.append(record: record, marker: marker, to: &bytes)
        events += 1
        if oldest == nil { oldest = head.receivedAt }
        projects[head.project, default: 0] += bytes.count - before
    }

    func bytes(of project: Int64) -> Int { projects[project] ?? 0 }

    /// Forgets them; the memory is kept, unless it is much.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= 4 << 20)
        events = 0
        oldest = nil
        projects.removeAll(keepingCapacity: true)
    }
}
