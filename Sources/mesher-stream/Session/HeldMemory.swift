internal import Scoreboard

/// The memory in which a session holds what its peer has sent or not read, and its claim in the table of all sessions.
final class HeldMemory {
    /// Bytes that each session may hold without a claim.
    static let free = 64 << 10

    private let table: SessionTable
    private let record: Int
    private let bound: MemoryBound
    private var claimed = 0
    /// Bytes held besides the incoming message.
    var others = 0
    /// Whether more is held than could be claimed.
    private(set) var isOver = false

    init(_ table: SessionTable, record: Int, bound: MemoryBound) {
        self.table = table
        self.record = record
        self.bound = bound
    }

    /// The claim for this many bytes. Up to a quarter more, so that a growing session claims rarely: each claim reads
    /// all sessions' records.
    static func claim(for bytes: Int) -> Int {
        guard bytes > free else { return 0 }
        var step = free
        while step <= bytes / 8 { step *= 2 }
        return (bytes + step - 1) / step * step
    }

    /// Whether the incoming message may grow to this many bytes.
    func mayHold(message: Int) -> Bool {
        let wanted = Self.claim(for: others + message)
        return wanted <= claimed || claim(wanted)
    }

    /// This much is held after a turn: surplus claims are released, and what came besides messages is claimed.
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
