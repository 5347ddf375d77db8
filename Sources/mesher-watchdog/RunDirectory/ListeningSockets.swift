internal import Glibc
internal import System

/// The sockets that the edges accept from. They stay open from the first start to the end: while an edge is replaced,
/// connections wait in them and are not refused.
struct ListeningSockets: ~Copyable {
    /// net.core.somaxconn may limit it further, listen(2).
    private static let backlog: CInt = 4096
    /// nginx's user gets access by the group.
    private static let mode: UInt32 = 0o660

    private let events: Descriptor
    private let bulk: Descriptor
    private let stream: Descriptor
    /// Where WebSocket clients connect without nginx, if they may.
    private let direct: Descriptor?
    /// The files that this process has made, and removes at the end.
    let paths: [String]
    /// Those of sockets that were passed, and the descriptors.
    let passedPaths: [String]
    let passedNumbers: [CInt]

    /// Takes the sockets that systemd passed, and makes the others in the run directory.
    ///
    /// - Parameter address: for WebSocket clients without nginx, empty for none.
    static func open(
        in directory: String, address: String, passed: consuming PassedSockets
    ) throws(SystemError) -> ListeningSockets {
        var paths: [String] = []
        let passedPaths = passed.paths
        let passedNumbers = passed.numbers
        let events = try open(.events, directory, passed.events.take(), &paths)
        let bulk = try open(.bulk, directory, passed.bulk.take(), &paths)
        let stream = try open(.stream, directory, passed.stream.take(), &paths)
        let direct = address.isEmpty ? nil : try TCPSocket.listen(at: address, backlog: backlog)
        return ListeningSockets(
            events: events, bulk: bulk, stream: stream, direct: direct, paths: paths,
            passedPaths: passedPaths, passedNumbers: passedNumbers)
    }

    func number(_ listener: Child.Listener) -> CInt {
        switch listener {
        case .events: events.number
        case .bulk: bulk.number
        case .stream: stream.number
        }
    }

    /// A second socket of the same kind of clients.
    func directNumber(_ listener: Child.Listener) -> CInt? {
        guard listener == .stream else { return nil }
        switch direct {
        case .some(let direct): return direct.number
        case nil: return nil
        }
    }

    /// Removes the files; connections that come now fail at once.
    func removeFiles() {
        for path in paths { unlink(path) }
    }

    private static func open(
        _ listener: Child.Listener, _ directory: String, _ passed: consuming Descriptor?, _ paths: inout [String]
    ) throws(SystemError) -> Descriptor {
        if let passed {
            // A worker takes what it can and goes on: waiting in accept would leave what it has in flight.
            try passed.setBlocking(false)
            return passed
        }
        let path = "\(directory)/\(listener.rawValue).sock"
        let socket = try UnixSocket.listen(at: path, mode: mode, backlog: backlog)
        paths.append(path)
        return socket
    }
}

/// The sockets that systemd opened before this process began, sd_listen_fds(3): by their names in `LISTEN_FDNAMES`, or by
/// their files' names, since the sockets of one unit all have that unit's name.
struct PassedSockets: ~Copyable {
    var events: Descriptor?
    var bulk: Descriptor?
    var stream: Descriptor?
    private(set) var numbers: [CInt] = []
    /// Their files, of those that have one.
    private(set) var paths: [String] = []

    /// The first descriptor that is passed, `SD_LISTEN_FDS_START`.
    static let firstNumber = 3

    /// Adopts what was passed to this process; descriptors with another name are closed.
    init() {
        for (number, name) in Self.names(
            pid: Self.variable("LISTEN_PID"), count: Self.variable("LISTEN_FDS"),
            names: Self.variable("LISTEN_FDNAMES"),
            ownPID: getpid())
        {
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            let descriptor = Descriptor(adopting: number)
            numbers.append(number)
            if let path = Self.path(boundTo: number) { paths.append(path) }
            switch Child.Listener(rawValue: name) ?? Self.listener(boundTo: number) {
            case .events: events = consume descriptor
            case .bulk: bulk = consume descriptor
            case .stream: stream = consume descriptor
            case nil: _ = consume descriptor
            }
        }
    }

    /// The numbers of the descriptors passed with their names; none when they were meant for another process.
    static func names(pid: String?, count: String?, names: String?, ownPID: pid_t) -> [(CInt, String)] {
        guard let pid, let count, let names, pid_t(pid) == ownPID, let count = Int(count), count > 0 else { return [] }
        return names.split(separator: ":", omittingEmptySubsequences: false).prefix(count).enumerated().map {
            (CInt(firstNumber + $0.offset), String($0.element))
        }
    }

    /// The listener whose file a socket is bound to.
    private static func listener(boundTo number: CInt) -> Child.Listener? {
        guard let path = path(boundTo: number), path.hasSuffix(".sock") else { return nil }
        let name = path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]
        return Child.Listener(rawValue: String(name.dropLast(".sock".count)))
    }

    /// The file that a socket is bound to. The corresponding C function is `getsockname`.
    private static func path(boundTo number: CInt) -> String? {
        var address = sockaddr_un()
        var size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &size) }
        }
        guard result == 0, address.sun_family == sa_family_t(AF_UNIX) else { return nil }
        let path = withUnsafeBytes(of: &address.sun_path) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return path.hasPrefix("/") ? path : nil
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
