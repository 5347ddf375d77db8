internal import Glibc
package import System

/// An edge's end of the channel to storage: one non-blocking connection that reconnects by itself.
///
/// The loop around it waits on `socket`, calls `ready` when that is ready and `tick` when the time it named has come.
package struct StorageClient: ~Copyable {
    /// The first and the longest pause between two attempts to connect, in nanoseconds; storage restarts quickly.
    private static let firstDelay: Int64 = 10_000_000
    private static let longestDelay: Int64 = 250_000_000

    private let path: String
    private let pendingLimit: Int
    private var descriptor: Descriptor?
    private var reader = FrameReader()
    private var pending = FrameQueue()
    private var openings = 0
    private var nextAttempt: Int64 = 0
    private var delay = Self.firstDelay

    /// - Parameters:
    ///   - path: storage's unix socket.
    ///   - pendingLimit: the most bytes that wait for storage to read them; more than what is in flight, or resending
    ///     everything over a new connection would exceed it.
    package init(path: String, pendingLimit: Int = 16 << 20) {
        self.path = path
        self.pendingLimit = pendingLimit
    }

    /// The socket to wait on, nil while there is none.
    package var socket: ClientSocket? {
        switch descriptor {
        case .some(let descriptor):
            ClientSocket(number: descriptor.number, opening: openings, wantsWrite: !pending.isEmpty)
        case nil: nil
        }
    }

    /// A switch, since comparing an optional of what cannot be copied with nil has been seen to destroy it (Swift 6.3.1).
    package var isConnected: Bool {
        switch descriptor {
        case .some: true
        case nil: false
        }
    }

    /// Bytes that wait for storage to read them.
    package var pendingCount: Int { pending.count }

    /// Connects when it is due.
    ///
    /// - Returns: nil when it is connected, else when to call again, in nanoseconds of the monotonic clock. When it was
    ///   not connected before and is now, `isConnected` has changed: everything must be resent.
    package mutating func tick(now: Int64) -> Int64? {
        if isConnected { return nil }
        guard now >= nextAttempt else { return nextAttempt }
        do throws(SystemError) {
            descriptor = try UnixSocket.connect(to: path)
            openings += 1
            delay = Self.firstDelay
            reader = FrameReader()
            pending.removeAll()
            pending.write { $0.hello() }
            return nil
        } catch {
            nextAttempt = now + delay
            delay = min(delay * 2, Self.longestDelay)
            return nextAttempt
        }
    }

    /// Sends frames, after those that did not fit before, in as few calls as possible; empties the queue.
    ///
    /// - Returns: false when storage leaves too much unread, and the connection was closed; `tick` reconnects.
    package mutating func send(_ frames: inout FrameQueue) -> Bool {
        guard isConnected else {
            frames.removeAll()
            return true
        }
        pending.move(from: &frames)
        flush()
        if pending.count > pendingLimit { descriptor = nil }
        return isConnected
    }

    /// The socket is readable or writable: sends the rest, and calls `body` with each frame that has come.
    ///
    /// - Parameter body: returns false when the frame is malformed.
    /// - Returns: false when the connection is gone; `tick` reconnects.
    package mutating func ready(
        readable: Bool, writable: Bool, _ body: (FrameKind, UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        guard let number = socket?.number else { return false }
        if writable { flush() }
        guard readable else { return isConnected }
        let count = reader.fill { recv(number, $0.baseAddress, $0.count, 0) }
        var makesSense = count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))
        do throws(FrameReader.Fault) {
            try reader.forEachFrame { kind, content in makesSense = body(kind, content) && makesSense }
        } catch {
            makesSense = false
        }
        if !makesSense { descriptor = nil }
        return makesSense
    }

    private mutating func flush() {
        guard !pending.isEmpty, let number = socket?.number else { return }
        pending.send(to: number)
    }
}
