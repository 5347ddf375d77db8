import Logging
import StorageChannel
import System

/// All edges, and which of them have answers to be written at the end of this turn of the loop.
struct EdgeTable: ~Copyable {
    /// Nanoseconds that an edge may take to read what has changed.
    private static let newsPatience: Int64 = 1_000_000_000

    private let logger: Logger
    private var nextToken: UInt64
    private var edges: [UInt64: Edge] = [:]
    private var answered: Set<UInt64> = []
    private var isReading = true

    /// - Parameter firstToken: the loop knows edges by this number and those above it.
    init(firstToken: UInt64, logger: Logger) {
        self.logger = logger
        nextToken = firstToken
    }

    var count: Int { edges.count }

    /// Whether an edge has answers that are not written yet.
    var hasOutput: Bool { edges.values.contains { $0.hasOutput } }

    subscript(_ token: UInt64) -> Edge? { edges[token] }

    /// Takes over a connection.
    ///
    /// - Returns: the edge's number; nil when it could not be accepted.
    mutating func adopt(_ descriptor: consuming Descriptor, _ epoll: borrowing Epoll) -> UInt64? {
        do {
            let edge = try Edge(nextToken, adopting: descriptor)
            try epoll.add(edge.number, token: edge.identifier, .read)
            edges[edge.identifier] = edge
            answered.insert(edge.identifier)
            nextToken += 1
            return edge.identifier
        } catch {
            logger.warning("an edge could not be accepted", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    /// Closes an edge whose turn ended badly.
    mutating func settle(_ edge: Edge, _ progress: Edge.Progress, _ epoll: borrowing Epoll) {
        switch progress {
        case .open: return
        case .closed: break
        case .faulty(let fault): logger.warning("edge closed", metadata: ["fault": "\(fault)"])
        }
        epoll.remove(edge.number)
        edges[edge.identifier] = nil
        answered.remove(edge.identifier)
    }

    /// Notes that the edge has answers to be written; an edge that is gone needs none.
    mutating func answer(_ token: UInt64, _ write: (Edge) -> Void) {
        guard let edge = edges[token] else { return }
        write(edge)
        answered.insert(token)
    }

    /// Answers events alike, each to the edge it came from.
    mutating func answer(_ answer: StoreAnswer) {
        var edge: Edge?
        for entry in answer.entries {
            if edge?.identifier != entry.edge {
                edge = edges[entry.edge]
                if edge != nil { answered.insert(entry.edge) }
            }
            edge?.answer(entry.ticket, answer.result, retryAfter: answer.retryAfter)
        }
    }

    /// Whether all edges have read what they were told of keys. One that does not for a second is closed: it will ask again,
    /// and the others need not wait.
    mutating func haveRoom(now: Int64, _ epoll: borrowing Epoll) -> Bool {
        var haveRoom = true
        for edge in edges.values {
            guard !edge.hasRoom else {
                edge.isBehindSince = nil
                continue
            }
            let since = edge.isBehindSince ?? now
            edge.isBehindSince = since
            if now - since < Self.newsPatience {
                haveRoom = false
            } else {
                settle(edge, .faulty("it does not read the news of keys"), epoll)
            }
        }
        return haveRoom
    }

    mutating func broadcast(_ changes: [KeyTable.Change]) {
        guard !changes.isEmpty else { return }
        for (token, edge) in edges {
            for change in changes { edge.answer(change.key, change.quota == nil ? .unknown : .known, change.quota) }
            answered.insert(token)
        }
    }

    /// Tells all edges what storage has to do without from now on.
    mutating func broadcast(accepts: Bool, _ degradation: Degradation) {
        for (token, edge) in edges {
            edge.answer(probe: 0, accepts: accepts, degradation)
            answered.insert(token)
        }
    }

    /// Writes the turn's answers; whether there were any.
    mutating func flush(_ epoll: borrowing Epoll) -> Bool {
        let hadAnswers = !answered.isEmpty
        for token in answered {
            guard let edge = edges[token] else { continue }
            flush(edge, epoll)
        }
        answered.removeAll(keepingCapacity: true)
        return hadAnswers
    }

    /// Writes what waits for an edge that has become writable.
    mutating func flush(_ edge: Edge, _ epoll: borrowing Epoll) {
        let progress = edge.flush()
        settle(edge, progress, epoll)
        guard progress == .open else { return }
        var interest: Epoll.Interest = isReading ? .read : []
        if edge.hasOutput { interest.insert(.write) }
        watch(edge, interest, epoll)
    }

    /// Reads no more from any edge.
    mutating func stopReading(_ epoll: borrowing Epoll) {
        isReading = false
        for edge in edges.values { watch(edge, edge.hasOutput ? .write : [], epoll) }
    }

    private mutating func watch(_ edge: Edge, _ interest: Epoll.Interest, _ epoll: borrowing Epoll) {
        guard edge.watched != interest else { return }
        do {
            try epoll.modify(edge.number, token: edge.identifier, interest)
            edge.watched = interest
        } catch {
            settle(edge, .faulty("\(error)"), epoll)
        }
    }
}
