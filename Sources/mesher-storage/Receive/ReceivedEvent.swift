import StorageChannel

/// One event as an edge handed it over: what storage must know about it, and the record that it copies.
struct ReceivedEvent {
    let ticket: UInt64
    let flags: StoreFlags
    let head: RecordHead
    /// Valid only while the frame is looked at.
    let record: UnsafeRawBufferPointer

    /// Reads a `store` frame's content; nil when it is no ticket with a record that `RecordHead` takes.
    init?(_ content: UnsafeRawBufferPointer) {
        var reader = FrameContent(content)
        ticket = reader.integer()
        flags = StoreFlags(rawValue: reader.integer())
        record = reader.remainder()
        guard reader.isIntact, flags.isSubset(of: .all), let head = RecordHead(record) else { return nil }
        self.head = head
    }
}
