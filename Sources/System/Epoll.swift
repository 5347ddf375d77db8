internal import CSystem
internal import Glibc

/// What a process waits on: a set of descriptors, level-triggered. The corresponding C functions are `epoll_create1`,
/// `epoll_ctl` and `epoll_pwait2`.
package struct Epoll: ~Copyable {
    /// What to wait for on one descriptor.
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let read = Interest(rawValue: EPOLLIN.rawValue)
        package static let write = Interest(rawValue: EPOLLOUT.rawValue)
        /// The peer's close, also while it could still receive.
        package static let close = Interest(rawValue: EPOLLRDHUP.rawValue)
    }

    /// One descriptor that is ready.
    package struct Event {
        /// The number given to `add`.
        package let token: UInt64
        /// Readable; also set when the peer hung up or failed, so that the next read reports it.
        package let readable: Bool
        package let writable: Bool
        /// The peer has closed both directions, or the descriptor failed.
        package let hungUp: Bool
        /// The peer sends nothing more; reported where `close` is waited for.
        package let peerClosed: Bool
    }

    private let descriptor: Descriptor
    private let capacity: Int
    private let events: UnsafeMutablePointer<epoll_event>

    /// - Parameter capacity: the most events one `wait` reports; the others are reported by the next.
    package init(capacity: Int = 512) throws(SystemError) {
        let number = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard number >= 0 else { throw SystemError("epoll_create1") }
        self.descriptor = Descriptor(adopting: number)
        self.capacity = capacity
        self.events = .allocate(capacity: capacity)
    }

    deinit {
        events.deallocate()
    }

    /// The number under which this set can itself be waited on in another set, epoll(7).
    package var number: CInt { descriptor.number }

    package func add(_ number: CInt, token: UInt64, _ interest: Interest) throws(SystemError) {
        try control(EPOLL_CTL_ADD, number, token, interest)
    }

    package func modify(_ number: CInt, token: UInt64, _ interest: Interest) throws(SystemError) {
        try control(EPOLL_CTL_MOD, number, token, interest)
    }

    package func remove(_ number: CInt) {
        _ = epoll_ctl(descriptor.number, EPOLL_CTL_DEL, number, nil)
    }

    /// Sleeps until a descriptor is ready or the time is over, and returns how many events `self[_:]` holds.
    ///
    /// - Parameter nanoseconds: the most to wait; 0 returns at once, nil waits without limit.
    package func wait(nanoseconds: Int64?) throws(SystemError) -> Int {
        while true {
            let count = mesher_epoll_wait(descriptor.number, events, CInt(capacity), nanoseconds ?? -1)
            if count >= 0 { return Int(count) }
            guard errno == EINTR else { throw SystemError("epoll_pwait2") }
        }
    }

    /// The event at a position below the number that `wait` returned.
    package subscript(_ position: Int) -> Event {
        precondition(position < capacity)
        let event = events[position]
        let failed = event.events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
        return Event(
            token: event.data.u64,
            readable: failed || event.events & EPOLLIN.rawValue != 0,
            writable: failed || event.events & EPOLLOUT.rawValue != 0,
            hungUp: failed,
            peerClosed: failed || event.events & EPOLLRDHUP.rawValue != 0)
    }

    private func control(_ operation: CInt, _ number: CInt, _ token: UInt64, _ interest: Interest) throws(SystemError) {
        var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token))
        guard epoll_ctl(descriptor.number, operation, number, &event) == 0 else { throw SystemError("epoll_ctl") }
    }
}
