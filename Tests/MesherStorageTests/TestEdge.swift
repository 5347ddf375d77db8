import Glibc
import StorageChannel
import System
import TestServers
import Testing

/// A frame that storage sent.
enum StorageMessage: Equatable {
    case hello(version: UInt16)
    case stored([Stored])
    case key(KeyID, KeyState, ProjectQuota)
    case readiness(ticket: UInt64, accepts: Bool, Degradation)

    struct Stored: Equatable {
        let ticket: UInt64
        let result: StoreResult
        let retryAfter: UInt32
    }

    /// - Parameter version: the one of an edge's hello.
    init?(_ kind: FrameKind, _ bytes: UnsafeRawBufferPointer, version: UInt16 = Frame.version) {
        var content = FrameContent(bytes)
        switch kind {
        case .hello: self = .hello(version: content.integer())
        case .stored:
            var entries: [Stored] = []
            while !content.isAtEnd {
                let ticket: UInt64 = content.integer()
                guard let result = StoreResult(rawValue: content.integer()) else { return nil }
                entries.append(Stored(ticket: ticket, result: result, retryAfter: content.integer()))
            }
            self = .stored(entries)
        case .key:
            let key = content.key()
            guard let state = KeyState(rawValue: content.integer()) else { return nil }
            self = .key(key, state, content.quota(version: version))
        case .readiness:
            self = .readiness(
                ticket: content.integer(), accepts: content.integer(UInt8.self) == 1,
                Degradation(rawValue: content.integer()))
        case .store, .lookUpKey, .probe, .redis: return nil
        }
        guard content.isIntact, content.isAtEnd else { return nil }
    }
}

/// A worker as storage sees it.
final class TestEdge {
    private let descriptor: Descriptor
    private let version: UInt16
    private var reader = FrameReader()
    private var received: [StorageMessage] = []
    private(set) var isClosed = false

    /// Connects and, unless told otherwise, says hello, of a release of today or of an older one.
    init(_ path: String, saysHello: Bool = true, version: UInt16 = Frame.version) throws {
        self.version = version
        descriptor = try UnixSocket.connect(to: path)
        try descriptor.setBlocking(true)
        if saysHello { send(bytes { $0.frame(.hello) { $0.integer(version) } }) }
    }

    func send(_ frames: [UInt8]) {
        var rest = frames[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor.number, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// The next message for which `match` gives something; those before it are dropped. Nil when it does not come in time
    /// or the connection ends.
    func next<Value>(within seconds: Double = 60, _ match: (StorageMessage) -> Value?) -> Value? {
        let deadline = Clock.monotonic() + Int64(seconds * 1e9)
        while true {
            while !received.isEmpty {
                if let value = match(received.removeFirst()) { return value }
            }
            guard !isClosed, read(until: deadline) else { return nil }
        }
    }

    /// The fates of so many events, by ticket.
    func results(_ count: Int, within seconds: Double = 60) -> [UInt64: StorageMessage.Stored] {
        var results: [UInt64: StorageMessage.Stored] = [:]
        while results.count < count {
            guard
                let entries = next(within: seconds, { if case .stored(let entries) = $0 { entries } else { nil } })
            else { break }
            for entry in entries {
                #expect(results[entry.ticket] == nil, "answered twice")
                results[entry.ticket] = entry
            }
        }
        return results
    }

    /// Sends events and waits for their fates.
    func store(_ events: [TestEvent]) -> [StoreResult?] {
        send(events.flatMap(\.frame))
        let results = results(events.count)
        return events.map { results[$0.ticket]?.result }
    }

    func key(_ key: KeyID, within seconds: Double = 60) -> (state: KeyState, quota: ProjectQuota)? {
        next(within: seconds) { if case .key(key, let state, let quota) = $0 { (state, quota) } else { nil } }
    }

    func lookUp(_ key: KeyID) -> (state: KeyState, quota: ProjectQuota)? {
        send(bytes { $0.lookUp(key) })
        return self.key(key)
    }

    func probe() -> (accepts: Bool, degradation: Degradation)? {
        send(bytes { $0.probe(77) })
        return next {
            if case .readiness(77, let accepts, let degradation) = $0 { (accepts, degradation) } else { nil }
        }
    }

    /// Whether storage ends this connection in time.
    func ends(within seconds: Double = 60) -> Bool {
        _ = next(within: seconds) { _ in Optional<Bool>.none }
        return isClosed
    }

    private func read(until deadline: Int64) -> Bool {
        var waiting = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        let milliseconds = CInt(clamping: (deadline - Clock.monotonic()) / 1_000_000)
        guard milliseconds > 0, uninterrupted({ poll(&waiting, 1, milliseconds) }) == 1 else { return false }
        let count = reader.fill { room in
            uninterrupted { Glibc.read(descriptor.number, room.baseAddress, room.count) }
        }
        if count <= 0 { isClosed = true }
        do {
            try reader.forEachFrame { kind, content in
                if let message = StorageMessage(kind, content, version: version) {
                    received.append(message)
                } else {
                    Issue.record("storage sent a frame of kind \(kind) that makes no sense")
                }
            }
        } catch {
            Issue.record("storage sent \(error)")
        }
        return true
    }
}
