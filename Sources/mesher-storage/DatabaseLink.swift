import EventLoop
import PostgreSQL

/// A connection to PostgreSQL that is made again whenever it is lost, as the loop sees it: one descriptor and one moment
/// to wait for. It decides nothing about what is sent over it.
///
/// Of several servers in the URL each is tried in turn, beginning with the first, and has its own time: libpq would go on
/// to the next only when one refuses, and never when one is silent.
struct DatabaseLink: ~Copyable {
    /// What a step has led to.
    enum Event: Equatable {
        case none
        /// Connected; nothing has been set up in the new session.
        case connected
        /// Something was received: ask `nextResult` and `nextNotification`.
        case received
        /// Not connected any more, or not yet; the next attempt is planned.
        case lost(DatabaseError)
    }

    private enum Phase {
        case away(retryAt: Int64)
        case connecting(until: Int64)
        case connected
    }

    /// Seconds for connecting to one server, unless the URL says otherwise, and the most that it may say.
    private static let connectTimeout = 3
    private static let longestConnectTimeout = 60

    private let url: String
    private let servers: [ConnectionURL.Server?]
    private let connectTimeout: Int
    /// Whether the URL is content with a server that takes no writes.
    let acceptsReadOnly: Bool
    private let applicationName: String
    private let token: UInt64
    /// The server that is being connected to, and why those before it were of no use.
    private var position = 0
    private var refusals: [DatabaseError] = []
    private var connection: NonBlockingConnection?
    private var phase = Phase.away(retryAt: 0)
    private var delay = ReconnectDelay()
    private var random = SystemRandomNumberGenerator()
    /// The moment by which the command under way must be over.
    private var commandDeadline: Int64?
    /// Processes of earlier sessions that were left with a command under way: they may be at it still.
    private(set) var abandoned: [Int32] = []
    /// What the loop waits for, and on which descriptor.
    private var watched: (number: CInt, interest: Epoll.Interest)?

    /// - Parameters:
    ///   - url: one that cannot be understood fails at each attempt to connect.
    ///   - token: what the loop knows the descriptor by.
    init(url: String, applicationName: String, token: UInt64) {
        let parsed = try? ConnectionURL(url)
        self.url = url
        servers = parsed?.servers ?? [nil]
        acceptsReadOnly = parsed?.acceptsReadOnly ?? false
        connectTimeout = min(parsed?.connectTimeout ?? Self.connectTimeout, Self.longestConnectTimeout)
        self.applicationName = applicationName
        self.token = token
    }

    /// When `elapse` must be called, nil for never.
    var deadline: Int64? {
        switch phase {
        case .away(let retryAt): retryAt
        case .connecting(let until): until
        case .connected: commandDeadline
        }
    }

    /// Connects when it is time to, and gives up what has taken too long.
    mutating func elapse(now: Int64, _ epoll: borrowing Epoll) -> Event {
        guard let deadline, deadline <= now else { return .none }
        switch phase {
        case .away: return connect(now: now, epoll)
        case .connecting: return refused(silence(), now: now, epoll)
        case .connected: return drop(Self.noAnswer, now: now, epoll)
        }
    }

    /// The descriptor is ready.
    mutating func proceed(now: Int64, _ epoll: borrowing Epoll) -> Event {
        do {
            switch phase {
            case .away: return .none
            case .connecting: return try goOnConnecting(now: now, epoll)
            case .connected:
                try connection?.receive()
                try flush(epoll)
                return .received
            }
        } catch {
            if case .connecting = phase { return refused(error, now: now, epoll) }
            return drop(error, now: now, epoll)
        }
    }

    /// Sends a command and gives it so many nanoseconds.
    mutating func send(
        within timeout: Int64, now: Int64, _ epoll: borrowing Epoll,
        _ command: (inout NonBlockingConnection) throws(DatabaseError) -> Void
    ) -> Event {
        guard var open = connection.take() else { return .none }
        do {
            try command(&open)
            connection = consume open
            commandDeadline = now + timeout
            try flush(epoll)
            return .none
        } catch {
            return drop(error, now: now, epoll)
        }
    }

    mutating func nextResult() -> NonBlockingConnection.Outcome {
        switch connection?.nextResult() {
        case nil: return .pending
        case .pending: return .pending
        case .rows(let rows): return .rows(rows)
        case .failed(let error): return .failed(error)
        case .idle:
            commandDeadline = nil
            return .idle
        }
    }

    mutating func nextNotification() -> NonBlockingConnection.Notification? {
        connection?.nextNotification()
    }

    /// The session works as it is meant to: the next loss is the first again.
    mutating func confirm() {
        delay.reset()
    }

    /// Of the earlier sessions these were still there when this one began. They were told to end, which one notices that
    /// waits and one that computes only later.
    mutating func foundAbandoned(_ processes: [Int32]) {
        abandoned = processes
    }

    /// Gives the new session up: PostgreSQL has enough to do with the earlier ones.
    mutating func dropForAbandoned(now: Int64, _ epoll: borrowing Epoll) -> Event {
        let message = "\(abandoned.count) sessions that were given up do not end"
        return drop(Self.failure("connect", message), now: now, epoll)
    }

    /// Closes the connection and plans the next attempt.
    mutating func drop(_ error: DatabaseError, now: Int64, _ epoll: borrowing Epoll) -> Event {
        close(epoll)
        phase = .away(retryAt: now + delay.next(using: &random))
        position = 0
        refusals = []
        return .lost(error)
    }

    private mutating func close(_ epoll: borrowing Epoll) {
        unwatch(epoll)
        if commandDeadline != nil, let backend = connection?.backend { abandoned.append(backend) }
        connection = nil
        commandDeadline = nil
    }

    /// A server does not let us in: the next one is tried at once, and after the last the connection counts as lost.
    private mutating func refused(_ error: DatabaseError, now: Int64, _ epoll: borrowing Epoll) -> Event {
        close(epoll)
        refusals.append(error)
        position += 1
        if position < servers.count { return connect(now: now, epoll) }
        let reasons = refusals.map(\.message).joined(separator: "; ")
        return drop(Self.failure("connect", reasons), now: now, epoll)
    }

    private func silence() -> DatabaseError {
        let server = servers[position].map { "\($0)" } ?? ""
        return Self.failure("connect", "\(server.isEmpty ? "" : "\(server): ")no answer within \(connectTimeout) s")
    }

    /// A command has taken longer than it may.
    static let noAnswer = failure("execute", "no answer in time")

    private static func failure(_ operation: String, _ message: String) -> DatabaseError {
        DatabaseError(operation: operation, message: message, isConnectionLost: true)
    }

    private mutating func connect(now: Int64, _ epoll: borrowing Epoll) -> Event {
        do {
            connection = try NonBlockingConnection.open(
                url, server: servers[position], applicationName: applicationName)
            phase = .connecting(until: now + Int64(connectTimeout) * 1_000_000_000)
            try watch(.write, epoll)
            return .none
        } catch {
            return refused(error, now: now, epoll)
        }
    }

    private mutating func goOnConnecting(now: Int64, _ epoll: borrowing Epoll) throws(DatabaseError) -> Event {
        // libpq may close the descriptor and open another of the same number, of which epoll would know nothing.
        unwatch(epoll)
        switch try connection?.continueConnecting() {
        case .wantsRead: try watch(.read, epoll)
        case .wantsWrite: try watch(.write, epoll)
        case .connected:
            try watch(.read, epoll)
            phase = .connected
            position = 0
            refusals = []
            return .connected
        case nil: break
        }
        return .none
    }

    private mutating func flush(_ epoll: borrowing Epoll) throws(DatabaseError) {
        guard let isFlushed = try connection?.flush() else { return }
        try watch(isFlushed ? .read : [.read, .write], epoll)
    }

    private mutating func watch(_ interest: Epoll.Interest, _ epoll: borrowing Epoll) throws(DatabaseError) {
        guard let number = connection?.socket else { return }
        if let watched, watched.number == number {
            if watched.interest == interest { return }
            try Self.check { () throws(SystemError) in try epoll.modify(number, token: token, interest) }
        } else {
            try Self.check { () throws(SystemError) in try epoll.add(number, token: token, interest) }
        }
        watched = (number, interest)
    }

    private static func check(_ call: () throws(SystemError) -> Void) throws(DatabaseError) {
        do { try call() } catch {
            throw failure("connect", "\(error)")
        }
    }

    private mutating func unwatch(_ epoll: borrowing Epoll) {
        if let watched { epoll.remove(watched.number) }
        watched = nil
    }
}
