import StorageChannel

/// The events of a test, and whether they are where they belong.
enum SpooledEvents {
    static let withoutPrimaryKey = """
        ALTER TABLE events DROP CONSTRAINT events_pkey;
        ALTER TABLE event_claims DROP CONSTRAINT event_claims_pkey;
        """

    static func events(_ count: Int, from first: Int = 0) -> [TestEvent] {
        (first..<first + count).map { TestEvent(ticket: UInt64($0), project: 3, eventID: UInt128($0 + 1)) }
    }

    /// Whether these events, and no others, are in PostgreSQL, each once.
    static func holds(_ storage: StorageProcess, _ count: Int) throws -> Bool {
        try storage.value("SELECT count(*) = \(count) AND count(DISTINCT event_id) = \(count) FROM events") == "t"
    }

    static func isEmpty(_ storage: StorageProcess) -> Bool { storage.spoolFiles().isEmpty }
}
