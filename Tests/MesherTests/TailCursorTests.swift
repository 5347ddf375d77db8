import Testing

@testable import mesher

struct TailCursorTests {
    private static let second: Int64 = 1_000_000

    private static func event(_ id: String, at receivedAt: Int64) -> StoredEvent {
        StoredEvent(id: id, receivedAt: receivedAt, received: "", values: ["error", "", nil, nil])
    }

    @Test("an event is shown once, however often it is found")
    func showsOnce() {
        var cursor = TailCursor(now: 100 * Self.second)
        let found = [Self.event("a", at: 100 * Self.second), Self.event("b", at: 101 * Self.second)]
        #expect(cursor.take(found).map(\.id) == ["a", "b"])
        cursor.forget()
        #expect(cursor.take(found + [Self.event("c", at: 102 * Self.second)]).map(\.id) == ["c"])
    }

    @Test("an event that becomes visible after a later one is still shown")
    func showsLateCommits() {
        var cursor = TailCursor(now: 100 * Self.second)
        _ = cursor.take([Self.event("late", at: 105 * Self.second)])
        let early = Self.event("early", at: 97 * Self.second)
        #expect(early.receivedAt > cursor.start.receivedAt)
        #expect(cursor.take([early]).map(\.id) == ["early"])
    }

    @Test("two events of one moment are both shown")
    func sameMoment() {
        var cursor = TailCursor(now: 0)
        #expect(cursor.take([Self.event("a", at: 5), Self.event("b", at: 5)]).count == 2)
    }

    @Test("a look begins the overlap before the newest event, and never goes back")
    func startMovesForward() {
        var cursor = TailCursor(now: 100 * Self.second)
        #expect(cursor.start.receivedAt == 90 * Self.second)
        _ = cursor.take([Self.event("a", at: 130 * Self.second)])
        #expect(cursor.start.receivedAt == 120 * Self.second)
        _ = cursor.take([Self.event("b", at: 125 * Self.second)])
        #expect(cursor.start.receivedAt == 120 * Self.second)
    }
}
