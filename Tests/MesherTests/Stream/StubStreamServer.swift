import Foundation
import Glibc
import Synchronization
import TestServers
import WebSocket

/// A WebSocket server on the loopback interface that does with each message what the test says.
final class StubStreamServer: Sendable {
    enum Reaction: Sendable {
        case answer(String)
        /// Ends the connection without a word.
        case drop
        case close(CloseCode)
    }

    private let listener: CInt
    private let received = Mutex<[String]>([])
    private let openings = Mutex(0)
    private let refusal: @Sendable (Int) -> [UInt8]?
    private let react: @Sendable (Int, String) -> Reaction

    /// - Parameters:
    ///   - refusal: what the upgrade is answered with instead, given the connection's number from 1.
    ///   - react: what is done with a message, given its number from 1, over all connections.
    init(
        refusal: @escaping @Sendable (Int) -> [UInt8]? = { _ in nil },
        react: @escaping @Sendable (Int, String) -> Reaction
    ) {
        self.refusal = refusal
        self.react = react
        let listening = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        listener = listening
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        withUnsafePointer(to: &address) {
            _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listening, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        listen(listening, 16)
        Thread.detachNewThread { [weak self] in
            while case let number = uninterrupted({ accept(listening, nil, nil) }), number >= 0 {
                self?.serve(number)
                close(number)
            }
            close(listening)
        }
    }

    deinit {
        shutdown(listener, CInt(SHUT_RDWR))
    }

    var authority: String {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) }
        }
        return "127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    }

    /// All messages that came, those that were sent again, too.
    var messages: [String] { received.withLock { $0 } }
    var connections: Int { openings.withLock { $0 } }

    /// An answer as Mesher gives it, with the id of the event.
    static func accepted(_ message: String) -> Reaction {
        .answer(#"{"status":"accepted","id":"\#(id(of: message))"}"#)
    }

    static func id(of message: String) -> String {
        let object = try? JSONSerialization.jsonObject(with: Data(message.utf8)) as? [String: Any]
        return object?["event_id"] as? String ?? ""
    }

    private func serve(_ number: CInt) {
        let count = openings.withLock {
            $0 += 1
            return $0
        }
        var reader = HeadReader()
        var room = [UInt8](repeating: 0, count: 64 << 10)
        var pending: [UInt8] = []
        while true {
            let length = uninterrupted { recv(number, &room, room.count, 0) }
            guard length > 0 else { return }
            let isComplete = room[..<length].withUnsafeBytes { part in
                var bytes = part
                defer { pending = Array(bytes) }
                return reader.receive(&bytes) == .complete
            }
            if isComplete { break }
        }
        if let refusal = refusal(count) { return write(refusal, to: number) }
        var compression: MessageCompression?
        let answer = reader.withHead { head -> [UInt8] in
            guard let request = try? UpgradeRequest(head) else { return [] }
            compression = request.compression
            return UpgradeResponse.accepting(request)
        }
        write(answer, to: number)
        guard var connection = try? WebSocketConnection.open(.server, compression: compression) else { return }
        while true {
            guard take(&connection, pending) else { return }
            write(connection.withOutput { Array($0) }, to: number)
            connection.dropOutput(connection.outputCount)
            let length = uninterrupted { recv(number, &room, room.count, 0) }
            guard length > 0 else { return }
            pending = Array(room[..<length])
        }
    }

    /// False when the connection is to be dropped.
    private func take(_ connection: inout WebSocketConnection, _ pending: [UInt8]) -> Bool {
        pending.withUnsafeBytes { part in
            var bytes = part
            while let event = connection.receive(&bytes) {
                guard event == .text else { continue }
                let message = connection.withMessage { String(decoding: $0, as: UTF8.self) }
                let count = received.withLock {
                    $0.append(message)
                    return $0.count
                }
                switch react(count, message) {
                case .answer(let text): Array(text.utf8).withUnsafeBytes { connection.send(text: $0) }
                case .drop: return false
                case .close(let code): connection.close(code, reason: "as the test says")
                }
            }
            return true
        }
    }

    private func write(_ bytes: [UInt8], to number: CInt) {
        _ = send(number, bytes, bytes.count, CInt(MSG_NOSIGNAL))
    }
}
