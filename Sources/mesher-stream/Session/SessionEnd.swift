internal import Edge
internal import Ingestion
internal import Scoreboard
internal import System
internal import WebSocket

/// The ways in which a session ends.
extension Session {
    /// Nanoseconds until a leaving session closes even if messages are unanswered: enough for storage.
    static let leavePatience: Int64 = 15_000_000_000
    /// The same when its key was revoked.
    static let revocationPatience: Int64 = 500_000_000
    /// How long the messages of a peer that left may take: enough for storage and the limits.
    static let drainPatience: Int64 = 60_000_000_000
    /// How long the peer may take for its part of the close.
    static let closePatience: Int64 = 2_000_000_000

    /// The service stops: received messages are answered, no more are accepted.
    mutating func stop(now: Int64) {
        switch phase {
        case .readingHead, .authenticating: refuse(.unavailable, now: now)
        case .open:
            if mayHandleMessages, peer.read() == .bytes { handleMessages(now: now) }
            leave(.serviceRestart, within: Self.leavePatience, now)
        case .draining(let until): phase = .draining(until: min(until, now + Self.leavePatience))
        case .leaving, .closing: break
        }
    }

    /// Accepts no more messages, and closes once those in flight are answered.
    mutating func leave(_ code: CloseCode, within patience: Int64, _ now: Int64) {
        if case .draining = phase { return lose(.lost, now: now) }
        guard case .open = phase else { return }
        phase = .leaving(code, until: now + patience)
        webSocket?.stopReceiving()
        peer.keepInput(last: 0)
    }

    /// Says with a close frame that the session ends.
    mutating func close(_ code: CloseCode, now: Int64) {
        webSocket?.close(code)
        ended(SessionEnding(code: code.rawValue), now: now)
    }

    /// The peer has closed, or has been told so.
    mutating func ended(_ ending: SessionEnding, now: Int64) {
        log.closed(ending, project: project)
        peer.keepInput(last: 0)
        phase = .closing(until: now + Self.closePatience)
    }

    /// The peer no longer reads. Messages that it sent whole are still stored: it may be a page that was left, or a
    /// program that does not wait for answers.
    mutating func beginDraining(now: Int64) {
        switch phase {
        case .open: break
        case .draining: return
        case .readingHead, .authenticating, .leaving, .closing: return lose(.lost, now: now)
        }
        phase = .draining(until: now + Self.drainPatience)
        hasEndedOutput = true
        epoll.remove(peer.number)
        dropOutput()
    }

    /// Handles all received messages, as far as they may be accepted.
    mutating func drain(until: Int64, now: Int64) {
        while now < until {
            handleMessages(now: now)
            dropOutput()
            guard case .draining = phase else { break }
            // A project beyond its share of the processors is not waited for.
            guard Clock.monotonic() >= pace.restsUntil else { break }
            guard mayHandleMessages else { return }
            guard peer.read() == .bytes else { break }
        }
        lose(.lost, now: now)
    }

    private mutating func dropOutput() {
        peer.dropOutput()
        if let count = webSocket?.outputCount { webSocket?.dropOutput(count) }
    }

    /// The peer is gone, or not worth waiting for.
    mutating func lose(_ ending: SessionEnding, now: Int64) {
        guard isPeerThere else { return }
        isPeerThere = false
        epoll.remove(peer.number)
        if engine.machine.requestsInHand == 0 { Self.beginRelease() }
        // Along with unread answers and an incomplete message.
        webSocket = nil
        switch phase {
        case .open, .draining, .leaving: ended(ending, now: now)
        case .readingHead, .authenticating: phase = .closing(until: now)
        case .closing: break
        }
    }

    /// From here on the session only gives its memory back. When a thousand do so at once, nginx and the workers go first.
    static func beginRelease() {
        ProcessAttributes.yieldToAll()
    }

    /// Reads only to see the peer's close frame and its end.
    mutating func discardInput() {
        var bytes = peer.input
        while webSocket?.receive(&bytes) != nil {}
        peer.keepInput(last: 0)
    }
}
