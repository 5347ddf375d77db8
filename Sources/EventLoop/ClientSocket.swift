/// The socket of a client that opens its connection again by itself, as far as a loop must know it to wait on it.
package struct ClientSocket: Equatable, Sendable {
    package let number: CInt
    /// Counts the connections: another one may well have the same number.
    package let opening: Int
    /// Whether something is left to be written.
    package let wantsWrite: Bool

    package init(number: CInt, opening: Int, wantsWrite: Bool) {
        self.number = number
        self.opening = opening
        self.wantsWrite = wantsWrite
    }
}

/// What a loop waits for on such a socket.
package struct ClientSocketWatch {
    private let token: UInt64
    private var watched: ClientSocket?

    /// - Parameter token: the number under which the loop sees its events.
    package init(token: UInt64) {
        self.token = token
    }

    /// Brings the set up to date. A socket that was closed has left the set by itself, epoll(7).
    package mutating func update(_ socket: ClientSocket?, in epoll: borrowing Epoll) throws(SystemError) {
        guard let socket, socket != watched else { return }
        let interest: Epoll.Interest = socket.wantsWrite ? [.read, .write] : .read
        if socket.opening == watched?.opening {
            try epoll.modify(socket.number, token: token, interest)
        } else {
            try epoll.add(socket.number, token: token, interest)
        }
        watched = socket
    }
}
