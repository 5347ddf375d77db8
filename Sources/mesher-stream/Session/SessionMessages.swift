internal import Edge
internal import Glibc
internal import Ingestion
internal import Scoreboard
internal import System
internal import WebSocket

/// Messages in, answers out.
extension Session {
    /// Maximum messages in flight, bytes of them, and bytes of unread answers. Beyond any of these the peer is not read
    /// from.
    private static let messagesInHand = 256
    private static let bytesInHand = 4 << 20
    private static let bytesToWrite = 256 << 10
    /// The distance between the derived ids of one message's events and those of the next.
    private static let idsOfMessage: UInt128 = 1 << 20

    /// Whether the next message may be handled.
    var mayHandleMessages: Bool {
        switch phase {
        case .open, .draining: break
        case .readingHead, .authenticating, .leaving, .closing: return false
        }
        guard Clock.monotonic() >= pace.restsUntil else { return false }
        return queue.count < Self.messagesInHand && engine.machine.bytesInHand < Self.bytesInHand
            && outputCount < Self.bytesToWrite && !memory.isOver
    }

    /// Bytes that wait to be written.
    var outputCount: Int {
        switch webSocket {
        case .some(let webSocket): peer.waiting + webSocket.outputCount
        case nil: peer.waiting
        }
    }

    /// The connection is readable or writable.
    mutating func peerReady(_ event: Epoll.Event, now: Int64) {
        if event.writable { flush(now: now) }
        guard event.readable, isPeerThere else { return }
        if event.hungUp, !watched.contains(.read) { return beginDraining(now: now) }
        guard watched.contains(.read) else { return }
        switch peer.read() {
        case .nothing: return
        case .ended: return beginDraining(now: now)
        case .bytes: break
        }
        liveness.heard(now: now)
        switch phase {
        case .readingHead: readHead(now: now)
        case .authenticating, .open, .draining, .leaving: break
        case .closing: discardInput()
        }
    }

    /// Handles what has arrived, up to the limits.
    mutating func handleMessages(now: Int64) {
        while mayHandleMessages, pace.allows(now: Clock.monotonic()) {
            memory.others = engine.bytesHeld + outputCount
            var bytes = peer.input
            let event = webSocket?.receive(&bytes)
            peer.keepInput(last: bytes.count)
            if webSocket?.hasStopped == true { return leave(.tryAgainLater, within: Self.leavePatience, now) }
            switch event {
            case .text: handleMessage(now: now)
            case .binary: leave(.unsupportedData, within: Self.leavePatience, now)
            case .ping, .pong: break
            case .closed(let code, _): ended(SessionEnding(code: code.rawValue), now: now)
            case .failed(let code): ended(SessionEnding(code: code.rawValue), now: now)
            case nil: return
            }
        }
    }

    private mutating func handleMessage(now: Int64) {
        let count = webSocket?.withMessage { $0.count } ?? 0
        var body = Body(count: count)
        webSocket?.withMessage { message in
            body.withUnsafeMutableBytes {
                $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: message.prefix($0.count)))
            }
        }
        webSocket?.forgetMessage()
        guard count <= Limits.eventBytes || body.isArray else {
            return leave(.messageTooBig, within: Self.leavePatience, now)
        }
        engine.machine.receive(message: body, firstID: nextID, token: queue.expect(), now: now, wall: Clock.wall())
        nextID &+= Self.idsOfMessage
    }

    /// Claims memory for what is held, or releases it. A peer that does not read its answers is dropped when there is
    /// no room for them. Anything else over the limit shrinks by itself, since nothing is read meanwhile.
    mutating func settleMemory(now: Int64) {
        memory.settle(message: webSocket?.heldCount ?? 0, others: engine.bytesHeld + outputCount)
        if memory.isOver, outputCount >= Self.bytesToWrite { lose(.dropped, now: now) }
    }

    /// Keeps a message's answer until its turn. A static function, since it is called while the engine is being changed.
    static func carryOut(_ reply: Engine.Reply, _ token: Int, _ queue: inout AnswerQueue, _ log: SessionLog) {
        // There is nobody to hand a message on to.
        guard case .answer(let answer) = reply else { return }
        log.answered(answer)
        queue.settle(token, answer)
    }

    /// Sends the answers whose turn it is.
    mutating func deliverAnswers(now: Int64) {
        while let answer = queue.next() {
            if case .draining = phase { continue }
            answer.messageText.withUnsafeBytes { webSocket?.send(text: $0) }
        }
    }

    /// Writes what the peer accepts.
    mutating func flush(now: Int64) {
        guard isPeerThere, !hasEndedOutput else { return }
        guard var written = peer.flush() else { return beginDraining(now: now) }
        while peer.waiting == 0, let count = webSocket?.outputCount, count > 0 {
            let result = webSocket?.withOutput { peer.write($0) }
            guard let taken = result ?? nil else { return beginDraining(now: now) }
            webSocket?.dropOutput(taken)
            written += taken
            if taken < count { break }
        }
        liveness.wrote(written, rest: outputCount, now: now)
        if case .closing = phase, outputCount == 0, webSocket?.isReading != true {
            hasEndedOutput = true
            peer.endOutput()
        }
    }
}
