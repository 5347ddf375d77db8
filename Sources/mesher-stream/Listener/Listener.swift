internal import Glibc
internal import Journal
internal import Logging
internal import Scoreboard
internal import System

/// Accepts connections and forks a session for each before it reads a byte: this process never sees what strangers
/// send. One thread, one wait.
///
/// SIGTERM ends the sessions too. After SIGUSR1 it drains: it accepts no more, and ends when the last session has
/// ended.
struct Listener: ~Copyable {
    struct Options {
        /// Maximum number of sessions on this host.
        let connections: Int
        let connectionsPerSecond: Int
        let session: Session.Options
    }

    private enum Token {
        static let signals: UInt64 = 0
        static let proxied: UInt64 = 1
        static let direct: UInt64 = 2
    }

    private enum State {
        case accepting, draining, stopping
    }

    /// Maximum number of connections accepted per turn, so that signals are heard in a storm.
    private static let acceptsInTurn = 32

    private let options: Options
    private let log: Logger
    private let slot: ProcessSlot
    private let table: SessionTable
    private let owner: Int
    private let title = ProcessTitle()
    private let sockets: ListeningPair
    private let epoll: Epoll
    private let signals: SignalDescriptor
    private var state = State.accepting
    /// The sessions' records by process ID, and the client's network of those that did not come through nginx.
    private var sessions: [pid_t: (record: Int, network: UInt64?)] = [:]
    private var rate: AdmissionRate
    private var refusedNetworks = RefusedNetworks()
    private var refused: RefusedConnections
    private var ready: ReadySignal?

    /// Opens what the listener waits on.
    ///
    /// - Parameters:
    ///   - ready: told once connections are accepted.
    ///   - slot: where it and its sessions count.
    ///   - table: where each session has a record.
    static func open(
        sockets: consuming ListeningPair, ready: consuming ReadySignal?, slot: ProcessSlot, table: SessionTable,
        options: Options, log: Logger
    ) throws(SystemError) -> Listener {
        let signals = try SignalDescriptor([SIGTERM, SIGUSR1, SIGCHLD])
        let epoll = try Epoll(capacity: 8)
        try epoll.add(signals.number, token: Token.signals, .read)
        try epoll.add(sockets.proxied.number, token: Token.proxied, .read)
        if let number = sockets.directNumber { try epoll.add(number, token: Token.direct, .read) }
        slot.shareWithForks()
        return Listener(
            sockets: sockets, ready: ready, signals: signals, epoll: epoll, slot: slot, table: table, options: options,
            log: log)
    }

    private init(
        sockets: consuming ListeningPair, ready: consuming ReadySignal?, signals: consuming SignalDescriptor,
        epoll: consuming Epoll, slot: ProcessSlot, table: SessionTable, options: Options, log: Logger
    ) {
        self.sockets = sockets
        self.ready = ready
        self.signals = signals
        self.epoll = epoll
        self.slot = slot
        self.table = table
        self.options = options
        self.log = log
        owner = ProcessSlot.inheritedIndex ?? 0
        rate = AdmissionRate(perSecond: options.connectionsPerSecond, now: Clock.monotonic())
        refused = RefusedConnections(answer: HTTPRefusal.unavailable.bytes)
    }

    /// Runs until it was told to stop or drain and the last session has ended. In a forked process it does not return.
    mutating func run() throws(SystemError) {
        ready.take()?.announce()
        while state == .accepting || !sessions.isEmpty {
            let now = Clock.monotonic()
            slot.beat(now: now, inHand: sessions.count, droppedLogLines: Journal.droppedLines)
            let pause = refused.wakeAt.map { max(0, $0 - now) } ?? .max
            let count = try epoll.wait(nanoseconds: min(pause, ProcessSlot.longestPause))
            for position in 0..<count {
                switch epoll[position].token {
                case Token.signals: handleSignals()
                case Token.proxied: accept(sockets.proxied.number, isProxied: true)
                default: if let number = sockets.directNumber { accept(number, isProxied: false) }
                }
            }
            refused.elapse(now: Clock.monotonic())
        }
        log.info("the last session has ended")
    }

    // MARK: Connections

    private mutating func accept(_ listener: CInt, isProxied: Bool) {
        guard state == .accepting else { return }
        for _ in 0..<Self.acceptsInTurn {
            guard let connection = UnixSocket.accept(listener) else { return }
            let now = Clock.monotonic()
            // nginx asks for the key first.
            let network = isProxied ? nil : TCPSocket.network(of: connection.number)
            guard network.map({ refusedNetworks.mayAsk($0, now: now) }) ?? true, table.count < options.connections,
                rate.admit(now: now), let record = table.reserve(owner: owner)
            else {
                refuse(connection, now: now)
                continue
            }
            fork(connection, isProxied: isProxied, network: network, record: record, now: now)
        }
    }

    private mutating func refuse(_ connection: consuming Descriptor, now: Int64) {
        slot.countRefusedUpgrade(status: HTTPRefusal.unavailable.status)
        refused.refuse(connection, now: now)
    }

    private mutating func fork(
        _ connection: consuming Descriptor, isProxied: Bool, network: UInt64?, record: Int, now: Int64
    ) {
        let parent = getpid()
        let pid = Glibc.fork()
        if pid == 0 {
            Session.serve(
                connection, isProxied: isProxied, parent: parent,
                log: SessionLog(slot: slot, table: table, record: record, title: title), options: options.session)
        }
        guard pid > 0 else {
            log.error("a session cannot be forked", metadata: ["reason": "\(SystemError("fork"))"])
            table.free(record)
            return refuse(connection, now: now)
        }
        sessions[pid] = (record, network)
    }

    // MARK: Signals

    private mutating func handleSignals() {
        while let signal = signals.next() {
            switch signal {
            case SIGTERM: stop()
            case SIGUSR1: drain()
            default: reap()
            }
        }
    }

    /// Reaps every session that has ended. The corresponding C function is `waitpid`.
    private mutating func reap() {
        while let (pid, ending) = ProcessDescriptor.reapAny() {
            guard let (record, network) = sessions.removeValue(forKey: pid) else { continue }
            if let network, ending == .exited(Session.refusedStatus) {
                refusedNetworks.refused(network, now: Clock.monotonic())
            }
            if table.free(record) { slot.countClosedSession(.killed) }
            if case .killed = ending {
                log.error("a session died", metadata: ["process": "\(pid)", "how": "\(ending)"])
            }
        }
    }

    private mutating func drain() {
        guard state == .accepting else { return }
        state = .draining
        leaveSockets()
        log.info("no more connections are accepted", metadata: ["sessions": "\(sessions.count)"])
    }

    /// Until it is reaped, its process ID cannot be reused.
    private mutating func stop() {
        guard state != .stopping else { return }
        if state == .accepting { leaveSockets() }
        state = .stopping
        for pid in sessions.keys { kill(pid, SIGTERM) }
    }

    private func leaveSockets() {
        epoll.remove(sockets.proxied.number)
        if let number = sockets.directNumber { epoll.remove(number) }
    }
}
