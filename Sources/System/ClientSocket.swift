/// The socket of a client that reconnects by itself, as a loop sees it.
package struct ClientSocket: Equatable, Sendable {
    package let number: CInt
    /// Counts the connections: a new one may reuse the descriptor's number.
    package let opening: Int
    /// Whether output is pending.
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

    /// Updates the set. A closed socket has left the set by itself, epoll(7).
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
