internal import Configuration
internal import Glibc
internal import System
internal import WebSocket

/// Sends lines over a WebSocket connection, reconnects when it is lost, and resends what had no answer.
struct StreamClient: ~Copyable {
    /// How a connection ended.
    private enum Ending {
        case done
        /// Retryable, after this many seconds if the server named them.
        case lost(String, retryAfter: Int? = nil)
    }

    /// What the opening handshake came to.
    private enum Handshake {
        /// Bytes that came behind the server's head are part of the conversation.
        case open(MessageCompression?, rest: UnsafeRawBufferPointer)
        case failed(Ending)
    }

    private static let second: Int64 = 1_000_000_000
    /// The server pings every 30 s; one that is silent for three times as long is gone.
    private static let silence = 90 * second
    private static let handshakePatience = 10 * second
    /// Beyond it nothing is written to the connection: what was not sent needs no resending.
    private static let outputLimit = 256 << 10

    private let dsn: DSN
    private let patience: Int64
    private let authorities: String?
    private var queue: StreamQueue
    private var reader = LineReader(STDIN_FILENO)
    private var progress = StreamProgress()
    private var delay = second / 4
    private var troubleSince: Int64?

    /// - Parameters:
    ///   - inFlight: the most events that are read and not acknowledged.
    ///   - patience: seconds of trouble, without any acknowledgement, after which it gives up.
    ///   - authorities: a file of certificates instead of the system's.
    init(_ dsn: DSN, inFlight: Int, patience: Int, authorities: String? = nil) {
        self.authorities = authorities
        self.dsn = dsn
        self.patience = Int64(patience) * Self.second
        queue = StreamQueue(limit: inFlight)
    }

    /// Sends all of standard input; the number of lines that were refused.
    ///
    /// - Throws: `CommandError` when the key is not taken, the peer speaks no WebSocket, or patience is at its end.
    mutating func run() throws(CommandError) -> Int {
        // A connection that breaks while it is written to must not end the program.
        signal(SIGPIPE, SIG_IGN)
        while true {
            let begin = Clock.monotonic()
            let ending = try converse()
            progress.isConnected = false
            queue.connectionLost()
            guard case .lost(let reason, let seconds) = ending else { break }
            if Clock.monotonic() - begin > Self.silence { calmDown() }
            try wait(reason, seconds)
        }
        progress.finish()
        return progress.refused
    }

    private mutating func calmDown() {
        troubleSince = nil
        delay = Self.second / 4
    }

    /// Waits before the next try: as long as the server said, otherwise a pause that doubles up to 30 s, minus up to a
    /// quarter at random.
    private mutating func wait(_ reason: String, _ retryAfter: Int?) throws(CommandError) {
        let pause = retryAfter.map { Int64($0) * Self.second } ?? delay - Int64.random(in: 0...delay / 4)
        delay = min(delay * 2, 30 * Self.second)
        let now = Clock.monotonic()
        let since = troubleSince ?? now
        troubleSince = since
        guard now - since + pause < patience else {
            let rest = reader.isAtEnd ? "" : ", standard input not read to its end"
            throw CommandError(
                .unavailable, "\(dsn.place): \(reason); gave up, \(queue.count) events not acknowledged\(rest)")
        }
        progress.say("\(dsn.place): \(reason), retrying")
        progress.show(underWay: queue.count)
        usleep(useconds_t(clamping: pause / 1000))
    }

    /// One connection, from its opening to its end.
    private mutating func converse() throws(CommandError) -> Ending {
        let transport: StreamTransport
        do throws(CommandError) {
            transport = try StreamTransport.open("\(dsn.scheme)://\(dsn.place)", authorities: authorities)
        } catch {
            if error.status == .usage { throw error }
            return .lost(error.description)
        }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { room.deallocate() }
        let compression: MessageCompression?
        let bytes: UnsafeRawBufferPointer
        switch try shakeHands(transport, room) {
        case .open(let agreed, let rest): (compression, bytes) = (agreed, rest)
        case .failed(let ending): return ending
        }
        // An event gets shorter from some hundred bytes on.
        let limits = WebSocketConnection.Limits(compressedFrom: 512)
        guard var connection = try? WebSocketConnection.open(.client, compression: compression, limits: limits) else {
            throw CommandError(.software, "out of memory")
        }
        progress.isConnected = true
        return try exchange(&connection, transport, room, bytes)
    }

    /// Sends events and takes answers, until the connection ends.
    ///
    /// - Parameters:
    ///   - room: where to read.
    ///   - bytes: those of `room` that came with the handshake.
    private mutating func exchange(
        _ connection: inout WebSocketConnection, _ transport: borrowing StreamTransport,
        _ room: UnsafeMutableRawBufferPointer, _ bytes: UnsafeRawBufferPointer
    ) throws(CommandError) -> Ending {
        var bytes = bytes
        var heardAt = Clock.monotonic()
        while true {
            var read: Int? = bytes.count
            while let count = read {
                if let ending = try take(&connection, &bytes) {
                    _ = write(&connection, transport)
                    return ending
                }
                read = transport.read(into: room)
                if let read { bytes = UnsafeRawBufferPointer(rebasing: room[..<read]) }
                if read == 0 { return .lost("connection closed") }
                if count > 0 { heardAt = Clock.monotonic() }
            }
            let now = Clock.monotonic()
            try takeLines()
            while connection.outputCount < Self.outputLimit, let event = queue.next(at: now) {
                event.withUnsafeBytes { connection.send(text: $0) }
            }
            let isDone = reader.isAtEnd && queue.count == 0
            if isDone { connection.close(.normal) }
            guard write(&connection, transport) else { return .lost("connection broken") }
            if isDone { return .done }
            guard now - heardAt < Self.silence else { return .lost("nothing received for 90 s") }
            progress.show(underWay: queue.count)
            try waitForSomething(transport, wantsWrite: connection.outputCount > 0, at: now)
        }
    }

    /// Takes the events that `bytes` bring; an ending when they end the connection.
    private mutating func take(
        _ connection: inout WebSocketConnection, _ bytes: inout UnsafeRawBufferPointer
    ) throws(CommandError) -> Ending? {
        while let event = connection.receive(&bytes) {
            switch event {
            case .text:
                try take(answer: connection.withMessage { String(decoding: $0, as: UTF8.self) })
            case .binary, .ping, .pong:
                break
            case .closed(.policyViolation, let reason):
                throw CommandError(.notPermitted, "\(dsn.place): closed by the server (1008): \(reason)")
            case .closed(let code, _) where [1002, 1003, 1007, 1009, 1010].contains(code.rawValue):
                throw CommandError(.software, "\(dsn.place): closed by the server (\(code.rawValue))")
            case .closed(let code, _):
                return .lost("closed by the server (\(code.rawValue))")
            case .failed(let code):
                return .lost("the server broke the protocol (\(code.rawValue))")
            }
        }
        return nil
    }

    private mutating func take(answer: String) throws(CommandError) {
        switch queue.take(answer, at: Clock.monotonic()) {
        case .accepted:
            calmDown()
            progress.accepted += 1
            print(TextTable.printable(answer))
        case .refused(let line, let error):
            calmDown()
            print(TextTable.printable(answer))
            refuse(line, TextTable.printable(error))
        case .again:
            break
        case .nonsense:
            throw CommandError(.unavailable, "\(dsn.place): not an answer of Mesher: \(TextTable.printable(answer))")
        }
    }

    private mutating func takeLines() throws(CommandError) {
        while queue.hasRoom, let line = reader.next() {
            do throws(EventLine.Fault) {
                queue.add(StreamQueue.Entry(line: reader.number, event: try EventLine.event(of: line)))
            } catch {
                refuse(reader.number, error.description)
            }
        }
    }

    private mutating func refuse(_ line: Int, _ error: String) {
        progress.refused += 1
        progress.say("line \(line): \(error)")
    }

    /// False when the connection is broken.
    private func write(_ connection: inout WebSocketConnection, _ transport: borrowing StreamTransport) -> Bool {
        while connection.outputCount > 0 {
            guard let count = connection.withOutput({ transport.write($0) }) else { return false }
            if count == 0 { return true }
            connection.dropOutput(count)
        }
        return true
    }

    /// Sleeps until the server or standard input has something, a second at most. The corresponding C function is `poll`.
    private mutating func waitForSomething(
        _ transport: borrowing StreamTransport, wantsWrite: Bool, at now: Int64
    ) throws(CommandError) {
        fflush(nil)
        let wantsLines = queue.hasRoom && !reader.isAtEnd
        var sleepers = [
            pollfd(fd: transport.number, events: Int16(wantsWrite ? POLLIN | POLLOUT : POLLIN), revents: 0),
            pollfd(fd: wantsLines ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
        ]
        let pause = queue.hasWaiting && queue.pausedUntil > now ? queue.pausedUntil - now : Self.second
        // A moment more, so that the pause is over then.
        poll(&sleepers, 2, CInt(min(pause, Self.second) / 1_000_000 + 1))
        if sleepers[1].revents != 0 { try reader.fill() }
    }

    /// The opening handshake. It waits up to 10 s for the server's head.
    private func shakeHands(
        _ transport: borrowing StreamTransport, _ room: UnsafeMutableRawBufferPointer
    ) throws(CommandError) -> Handshake {
        let upgrade = ClientUpgrade()
        let request = upgrade.request(
            host: String(dsn.place.prefix { $0 != "/" }),
            target: dsn.place.drop { $0 != "/" } + "/api/v1/stream",
            fields: ["Authorization: Bearer \(dsn.key)", "User-Agent: mesher/\(Release.version)"])
        guard request.withUnsafeBytes({ transport.write($0) }) == request.count else {
            return .failed(.lost("connection broken"))
        }
        let deadline = Clock.monotonic() + Self.handshakePatience
        var reader = HeadReader()
        while true {
            guard let count = Self.read(transport, room, until: deadline) else {
                return .failed(.lost("no answer to the upgrade"))
            }
            var bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
            switch reader.receive(&bytes) {
            case .incomplete: continue
            case .tooLong: throw CommandError(.unavailable, "\(dsn.place): malformed response head")
            case .complete: break
            }
            switch reader.withHead({ upgrade.outcome($0) }) {
            case .accepted(let compression): return .open(compression, rest: bytes)
            case .invalid(let reason): throw CommandError(.unavailable, "\(dsn.place): \(reason)")
            case .refused(let status, let retryAfter, let bodyLength):
                var body = Array(bytes)
                while body.count < min(bodyLength, 4 << 10),
                    let count = Self.read(transport, room, until: deadline)
                { body += room[..<count] }
                return .failed(try refusal(status, retryAfter, String(decoding: body, as: UTF8.self)))
            }
        }
    }

    private func refusal(_ status: Int, _ retryAfter: Int?, _ body: String) throws(CommandError) -> Ending {
        let error = (ServerAnswer(body)?.error).map { " \(TextTable.printable($0))" } ?? ""
        guard status == 429 || status >= 500 else {
            throw CommandError(
                status == 401 ? .notPermitted : .unavailable, "\(dsn.place): \(status)\(error)")
        }
        return .lost("\(status)\(error)", retryAfter: retryAfter)
    }

    /// How many bytes came, waiting for them; nil at the end, or when the time is over.
    private static func read(
        _ transport: borrowing StreamTransport, _ room: UnsafeMutableRawBufferPointer, until deadline: Int64
    ) -> Int? {
        while true {
            if let count = transport.read(into: room) { return count > 0 ? count : nil }
            let left = deadline - Clock.monotonic()
            guard left > 0 else { return nil }
            var sleeper = pollfd(fd: transport.number, events: Int16(POLLIN), revents: 0)
            poll(&sleeper, 1, CInt(left / 1_000_000 + 1))
        }
    }
}
