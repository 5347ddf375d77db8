internal import Scoreboard

/// What a session holds of what its peer has sent or has not taken, and its claim to it in the table of all sessions.
final class HeldMemory {
    /// Bytes that each session may hold without a claim.
    static let free = 64 << 10

    private let table: SessionTable
    private let record: Int
    private let bound: MemoryBound
    private var claimed = 0
    /// Bytes that are held beside the message that is coming.
    var others = 0
    /// Whether more is held than could be claimed.
    private(set) var isOver = false

    init(_ table: SessionTable, record: Int, bound: MemoryBound) {
        self.table = table
        self.record = record
        self.bound = bound
    }

    /// The claim that stands for so many bytes. Up to a quarter more, so that who gathers much asks seldom: asking is to
    /// look at all sessions.
    static func claim(for bytes: Int) -> Int {
        guard bytes > free else { return 0 }
        var step = free
        while step <= bytes / 8 { step *= 2 }
        return (bytes + step - 1) / step * step
    }

    /// Whether the message that is coming may grow to so many bytes.
    func mayHold(message: Int) -> Bool {
        let wanted = Self.claim(for: others + message)
        return wanted <= claimed || claim(wanted)
    }

    /// After a turn so much is held: what is not needed is given back, what has come beside messages is claimed.
    func settle(message: Int, others: Int) {
        self.others = others
        let wanted = Self.claim(for: others + message)
        isOver = wanted != claimed && !claim(wanted)
    }

    private func claim(_ bytes: Int) -> Bool {
        guard table.claim(record, bytes: bytes, within: bound) else { return false }
        claimed = bytes
        return true
    }
}
