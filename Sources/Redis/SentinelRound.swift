internal import Configuration

/// Which Sentinel is asked for the master next: each once for a connection, the one after that asked last.
struct SentinelRound {
    /// Each process begins with one at random.
    private var last: Int
    private var left = 0

    init(last: Int = .random(in: 0..<1 << 16)) {
        self.last = last
    }

    /// Whether none is left to ask for this connection.
    var isOver: Bool { left == 0 }

    mutating func begin(among servers: [ServerAddress]) {
        left = servers.count
    }

    /// The next to ask; nil when all were asked.
    mutating func next(among servers: [ServerAddress]) -> ServerAddress? {
        guard left > 0, !servers.isEmpty else { return nil }
        left -= 1
        last = (last + 1) % servers.count
        return servers[last]
    }
}
