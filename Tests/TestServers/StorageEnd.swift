internal import Glibc
package import StorageChannel
internal import System

/// Storage's end of the channel, played by a test: it knows every key, and acknowledges events if it is told to. It does
/// something only in `step`, and never waits.
package final class StorageEnd {
    package let folder: String
    package var path: String { folder + "/storage.sock" }
    /// Whether events are acknowledged as soon as they come.
    package var acknowledges = true
    /// The tickets of the events that have come, in order, also when they came again.
    package private(set) var tickets: [UInt64] = []
    /// For each of those events, whether it was counted in Redis.
    package private(set) var counted: [Bool] = []
    /// How many connections were made.
    package private(set) var connections = 0
    private let quota: ProjectQuota
    private var listener: Descriptor?
    private var connection: Descriptor?
    private var reader = FrameReader()

    /// - Parameter quota: the project of all keys.
    package init(_ quota: ProjectQuota) throws {
        self.quota = quota
        folder = "/tmp/mesher-storage.\(UInt32.random(in: .min ... .max))"
        mkdir(folder, 0o700)
        listener = try UnixSocket.listen(at: folder + "/storage.sock", mode: 0o600, backlog: 8)
    }

    deinit {
        unlink(path)
        rmdir(folder)
    }

    /// Accepts, reads what has come, and answers it.
    package func step() throws {
        if connectionNumber == nil { try accept() }
        guard let number = connectionNumber else { return }
        let count = reader.fill { recv(number, $0.baseAddress, $0.count, CInt(MSG_DONTWAIT)) }
        if count == 0 { return hangUp() }
        var answer = FrameWriter()
        try reader.forEachFrame { kind, content in answerFrame(kind, FrameContent(content), &answer) }
        send(answer)
    }

    /// Acknowledges all events that have come.
    package func acknowledgeAll() {
        var answer = FrameWriter()
        answer.frame(.stored) { for ticket in tickets { $0.stored(ticket, .durable, retryAfter: 0) } }
        send(answer)
    }

    /// Ends the connection, as storage does when it is replaced.
    package func hangUp() {
        connection = nil
    }

    private var connectionNumber: CInt? {
        switch connection {
        case .some(let connection): connection.number
        case nil: nil
        }
    }

    private func accept() throws {
        let number: CInt? =
            switch listener {
            case .some(let listener): listener.number
            case nil: nil
            }
        guard let number, let accepted = UnixSocket.accept(number) else { return }
        connection = consume accepted
        connections += 1
        reader = FrameReader()
        var hello = FrameWriter()
        hello.hello()
        send(hello)
    }

    private func answerFrame(
        _ kind: FrameKind, _ content: consuming FrameContent, _ answer: inout FrameWriter
    ) {
        switch kind {
        case .lookUpKey: answer.key(content.key(), .known, quota)
        case .store:
            let ticket = content.integer(UInt64.self)
            tickets.append(ticket)
            counted.append(StoreFlags(rawValue: content.integer()).contains(.counted))
            if acknowledges { answer.frame(.stored) { $0.stored(ticket, .durable, retryAfter: 0) } }
        case .probe: answer.readiness(content.integer(), accepts: true, [])
        case .hello, .redis, .stored, .key, .readiness: break
        }
    }

    private func send(_ frames: borrowing FrameWriter) {
        guard let number = connectionNumber else { return }
        let bytes = frames.bytes
        _ = bytes.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
    }
}
