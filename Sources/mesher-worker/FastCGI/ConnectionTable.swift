internal import System

/// nginx's connections and their listener, waited on as one set, so that a loop can ignore all of them while enough
/// requests are in flight.
struct ConnectionTable: ~Copyable {
    /// What is ready.
    enum Event {
        case listener
        /// One connection; closed by nginx, or readable.
        case connection(token: Int, isClosed: Bool)
    }

    private static let listenerToken: UInt64 = .max

    private let epoll: Epoll
    private let listener: Descriptor
    private var connections: [FastCGIConnection?] = []
    private var free: [Int] = []

    /// Waits for connections on a listening socket, and makes it non-blocking.
    static func open(_ listener: consuming Descriptor) throws(SystemError) -> ConnectionTable {
        let epoll = try Epoll(capacity: 256)
        try listener.setBlocking(false)
        try epoll.add(listener.number, token: listenerToken, .read)
        return ConnectionTable(epoll, listener)
    }

    private init(_ epoll: consuming Epoll, _ listener: consuming Descriptor) {
        self.epoll = epoll
        self.listener = listener
    }

    /// The descriptor by which another set can include this one.
    var number: CInt { epoll.number }

    var isEmpty: Bool { free.count == connections.count }

    /// The tokens of the connections without a request in flight.
    var idle: [Int] { connections.indices.filter { connections[$0]?.isAnswering == false } }

    subscript(_ token: Int) -> FastCGIConnection? { connections[token] }

    /// Counts what is ready, for `event`; does not wait.
    func ready() throws(SystemError) -> Int {
        try epoll.wait(nanoseconds: 0)
    }

    /// What is ready, at a position below the number that `ready` returned.
    func event(_ position: Int) -> Event {
        let event = epoll[position]
        guard event.token != Self.listenerToken else { return .listener }
        return .connection(token: Int(truncatingIfNeeded: event.token), isClosed: event.peerClosed)
    }

    /// Accepts one connection, if one waits: one at a time, the workers share them evenly. A worker whose turns are
    /// long accepts `several`, so that none waits in the socket behind all others.
    mutating func accept(several: Bool) throws(SystemError) {
        for _ in 0..<(several ? 32 : 1) {
            guard let descriptor = UnixSocket.accept(listener.number) else { return }
            try add(descriptor)
        }
    }

    private mutating func add(_ descriptor: consuming Descriptor) throws(SystemError) {
        let connection = FastCGIConnection(adopting: descriptor)
        let token = free.popLast() ?? connections.count
        if token == connections.count { connections.append(nil) }
        connections[token] = connection
        try epoll.add(connection.number, token: UInt64(token), [.read, .close])
    }

    /// Accepts no more connections.
    func stopListening() {
        epoll.remove(listener.number)
    }

    /// Stops watching a connection, which stays open.
    func ignore(_ connection: FastCGIConnection) {
        epoll.remove(connection.number)
    }

    mutating func close(_ token: Int) {
        connections[token] = nil
        free.append(token)
    }
}
