internal import Glibc
internal import System

/// One request over a connection of its own, as nginx would send it, and its answer, which ends with the connection.
final class RequestProbe {
    /// Upper bound of an answer, in bytes.
    private static let answerLimit = 16 << 10

    private let socket: Descriptor
    private let isGood: ([UInt8]) -> Bool
    private var received: [UInt8] = []

    /// Readable when the answer comes.
    var number: CInt { socket.number }

    /// Connects and sends the request.
    ///
    /// - Parameters:
    ///   - path: of the unix socket.
    ///   - request: some hundred bytes, for which a new socket has room.
    ///   - isGood: decides about the whole answer.
    static func begin(
        at path: String, _ request: [UInt8], isGood: @escaping ([UInt8]) -> Bool
    ) throws(SystemError) -> RequestProbe {
        let probe = RequestProbe(try UnixSocket.connect(to: path), isGood: isGood)
        guard send(probe.number, request, request.count, CInt(MSG_NOSIGNAL)) == request.count else {
            throw SystemError("send", path)
        }
        return probe
    }

    private init(_ socket: consuming Descriptor, isGood: @escaping ([UInt8]) -> Bool) {
        self.socket = socket
        self.isGood = isGood
    }

    /// Takes what has come.
    ///
    /// - Returns: whether the answer is a good one; nil while more is to come.
    func receive() -> Bool? {
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(number, &chunk, chunk.count, CInt(MSG_DONTWAIT))
            if count < 0 { return errno == EAGAIN || errno == EINTR ? nil : false }
            // The peer closes after its answer, since no request asks to keep the connection.
            if count == 0 { return isGood(received) }
            received += chunk[..<count]
            if received.count > Self.answerLimit { return false }
        }
    }
}
