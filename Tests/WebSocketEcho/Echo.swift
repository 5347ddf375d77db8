import Glibc
import WebSocket

/// As large as the suite's largest message, and compressed whatever the size, where the peer agrees.
private let limits = WebSocketConnection.Limits(messageBytes: 16 << 20, compressedFrom: 0)

/// Answers one connection until it ends.
func serve(_ socket: consuming Socket) {
    withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { room in
        var reader = HeadReader()
        guard let rest = readHead(&reader, socket, room) else { return }
        var compression: MessageCompression?
        let isAccepted = reader.withHead { head in
            do throws(UpgradeRefusal) {
                let request = try UpgradeRequest(head)
                compression = request.compression
                return UpgradeResponse.accepting(request).withUnsafeBytes { socket.write($0) } > 0
            } catch {
                let refusal = UpgradeResponse.refusing(status: error.status, reason: "Refused", body: [])
                _ = refusal.withUnsafeBytes { socket.write($0) }
                return false
            }
        }
        if isAccepted, var connection = try? WebSocketConnection.open(.server, compression: compression, limits: limits)
        {
            echo(&connection, socket, rest, room)
        }
        socket.finish(room)
    }
}

/// Runs all cases of a fuzzing server, and has it write its report.
func drive(_ port: UInt16) {
    let count = Int(String(decoding: request(port, "/getCaseCount"), as: UTF8.self)) ?? 0
    for number in stride(from: 1, through: count, by: 1) {
        _ = request(port, "/runCase?case=\(number)&agent=mesher")
    }
    _ = request(port, "/updateReports?agent=mesher")
}

/// Opens a connection as a client, echoes until it ends, and returns the last message that came.
private func request(_ port: UInt16, _ target: String) -> [UInt8] {
    let socket = Socket.connect(port)
    return withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { room in
        let upgrade = ClientUpgrade()
        let head = upgrade.request(host: "127.0.0.1:\(port)", target: target)
        guard head.withUnsafeBytes({ socket.write($0) }) == head.count else { return [] }
        var reader = HeadReader()
        guard let rest = readHead(&reader, socket, room),
            case .accepted(let compression) = reader.withHead({ upgrade.outcome($0) }),
            var connection = try? WebSocketConnection.open(.client, compression: compression, limits: limits)
        else { return [] }
        // What the suite says of itself is not echoed.
        let isCase = target.hasPrefix("/runCase")
        let last = echo(&connection, socket, rest, room, isAnswering: isCase)
        socket.finish(room)
        return last
    }
}

/// Nil when the head does not come whole; what came behind it otherwise.
private func readHead(
    _ reader: inout HeadReader, _ socket: borrowing Socket, _ room: UnsafeMutableRawBufferPointer
) -> UnsafeRawBufferPointer? {
    while true {
        var bytes = socket.read(into: room)
        guard !bytes.isEmpty else { return nil }
        switch reader.receive(&bytes) {
        case .complete: return bytes
        case .tooLong: return nil
        case .incomplete: continue
        }
    }
}

@discardableResult
private func echo(
    _ connection: inout WebSocketConnection, _ socket: borrowing Socket, _ rest: UnsafeRawBufferPointer,
    _ room: UnsafeMutableRawBufferPointer, isAnswering: Bool = true
) -> [UInt8] {
    var bytes = rest
    var last: [UInt8] = []
    while true {
        while let event = connection.receive(&bytes) {
            if event == .text || event == .binary {
                // Copied, since sending changes the connection that holds it.
                last = connection.withMessage { Array($0) }
                if isAnswering {
                    last.withUnsafeBytes { event == .text ? connection.send(text: $0) : connection.send(binary: $0) }
                }
            }
            let count = connection.withOutput { socket.write($0) }
            connection.dropOutput(count)
        }
        if connection.isReading { bytes = socket.read(into: room) }
        if !connection.isReading || bytes.isEmpty { return last }
    }
}
