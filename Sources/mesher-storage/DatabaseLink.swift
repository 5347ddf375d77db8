import PostgreSQL
import System

/// A connection to PostgreSQL that reconnects whenever it is lost. For the loop it is one descriptor and one deadline.
/// It does not decide what is sent.
///
/// It tries each server of the URL in turn, beginning with the first, with a timeout for each: libpq would try the next
/// only when one refuses, and never when one is silent.
struct DatabaseLink: ~Copyable {
    /// The result of a step.
    enum Event: Equatable {
        case none
        /// Connected; nothing has been set up in the new session.
        case connected
        /// Something was received: ask `nextResult` and `nextNotification`.
        case received
        /// Not connected; the next attempt is scheduled.
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
    /// Whether the URL allows a read-only server.
    let acceptsReadOnly: Bool
    private let applicationName: String
    private let token: UInt64
    /// The server being connected to, and why those before it failed.
    private var position = 0
    private var refusals: [DatabaseError] = []
    private var connection: NonBlockingConnection?
    private var phase = Phase.away(retryAt: 0)
    private var delay = ReconnectDelay()
    private var random = SystemRandomNumberGenerator()
    /// The deadline of the running command.
    private var commandDeadline: Int64?
    /// Server processes of abandoned sessions, which may still be running their command.
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

    /// Whether it is neither connected nor connecting.
    var isAway: Bool { if case .away = phase { true } else { false } }

    /// When `elapse` must be called, nil for never.
    var deadline: Int64? {
        switch phase {
        case .away(let retryAt): retryAt
        case .connecting(let until): until
        case .connected: commandDeadline
        }
    }

    /// Connects when it is due, and gives up what has taken too long.
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

    /// Sends a command with a timeout in nanoseconds.
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

    /// The session works: the next loss counts as the first.
    mutating func confirm() {
        delay.reset()
    }

    /// The abandoned sessions that were still running when this one began. They were told to end; one that waits
    /// notices at once, one that computes only later.
    mutating func foundAbandoned(_ processes: [Int32]) {
        abandoned = processes
    }

    /// Closes the connection and schedules the next attempt.
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

    /// A server refuses the connection: the next one is tried at once; after the last the connection counts as lost.
    private mutating func refused(_ error: DatabaseError, now: Int64, _ epoll: borrowing Epoll) -> Event {
        close(epoll)
        refusals.append(error)
        position += 1
        if position < servers.count { return connect(now: now, epoll) }
        var reasons = refusals.map(\.message).joined(separator: "; ")
        // libpq keeps OpenSSL's reason to itself.
        if reasons.contains("certificate verify failed") { reasons += " (mesher check says why)" }
        return drop(Self.failure("connect", reasons), now: now, epoll)
    }

    private func silence() -> DatabaseError {
        let server = servers[position].map { "\($0)" } ?? ""
        return Self.failure("connect", "\(server.isEmpty ? "" : "\(server): ")no answer within \(connectTimeout) s")
    }

    /// A command has taken longer than it may.
    static let noAnswer = failure("execute", "no answer in time")

    /// So many abandoned sessions still run: PostgreSQL is busy enough with them.
    static func unended(sessions: Int) -> DatabaseError {
        failure("connect", "\(sessions) sessions that were given up do not end")
    }

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
        // libpq may close the descriptor and open another with the same number, unknown to epoll.
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
