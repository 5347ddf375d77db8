internal import Edge
internal import Glibc
internal import Ingestion
internal import StorageChannel
internal import System
internal import WebSocket

/// The upgrade.
extension Session {
    /// Continues reading the request.
    mutating func readHead(now: Int64) {
        guard case .readingHead(let until) = phase else { return }
        var bytes = peer.input
        do throws(HTTPRefusal) {
            let key = try handshake.receive(&bytes)
            peer.keepInput(last: bytes.count)
            guard let key else { return }
            engine.machine.openStream(key)
            phase = .authenticating(until: until)
        } catch {
            refuse(error, now: now)
        }
    }

    /// Checks whether storage has answered about the key.
    mutating func authenticate(until: Int64, now: Int64) {
        guard !engine.machine.isDraining else { return refuse(.unavailable, now: now) }
        switch engine.machine.streamKeyStanding {
        case .known(let quota): accept(quota, now: now)
        case .unknown: refuse(.unauthorized, now: now)
        case .unavailable: refuse(.unavailable, now: now)
        case nil: if now >= until { refuse(.unavailable, now: now) }
        }
    }

    private mutating func accept(_ quota: ProjectQuota, now: Int64) {
        do throws(HTTPRefusal) {
            guard try handshake.isAllowed(by: quota.origins) else { throw .otherOrigin }
            guard log.enter(quota.project, limit: options.projectConnections) else { throw .projectIsFull }
            let answer = try handshake.accept()
            var limits = WebSocketConnection.Limits(messageBytes: Limits.bulkBytes)
            limits.processorTime = options.ingestion.processorTime
            webSocket = try? WebSocketConnection.open(
                .server, compression: answer.compression, limits: limits
            ) { [memory, pace] size in
                pace.grew(to: size)
                return memory.mayHold(message: size)
            }
            peer.append(answer.text)
        } catch {
            return refuse(error, now: now)
        }
        project = quota.project
        pace.project = project
        let address = isProxied ? handshake.proxiedPeer() : TCPSocket.peer(of: peer.number)
        log.opened(project, peer: address ?? "")
        handshake = Handshake()
        liveness = Liveness(now: now, pingInterval: options.pingInterval)
        endsAt = now + options.age - Int64.random(in: 0...options.age / 10)
        phase = .open
    }

    mutating func refuse(_ refusal: HTTPRefusal, now: Int64) {
        log.refused(status: refusal.status)
        isRefused =
            refusal.status != HTTPRefusal.projectIsFull.status && refusal.status != HTTPRefusal.unavailable.status
        peer.append(refusal.bytes)
        peer.keepInput(last: 0)
        phase = .closing(until: now + Self.closePatience)
    }
}
