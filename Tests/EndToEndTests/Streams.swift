import Foundation
import Scoreboard

/// The streams of a project, and the processes that serve them.
struct Streams {
    let project: Project

    /// Opens a connection to the listener itself, or through nginx.
    func open(throughNginx: Bool = false, patience: Int = 20) throws -> StreamClient {
        try StreamClient(
            port: throughNginx ? project.stack.port : directPort, [authorization], patience: patience)
    }

    /// Asks the listener for an upgrade, and reads nothing yet.
    func ask() throws -> RawConnection {
        let connection = try RawConnection(port: directPort, patience: 30)
        connection.send(StreamClient.request([authorization]))
        return connection
    }

    var authorization: String { "Authorization: Bearer \(project.key)" }

    /// Where the listener is without nginx.
    var directPort: Int { project.stack.port + 1 }

    static func event(_ message: String) -> String {
        #"{"message":"\#(message)","level":"info"}"#
    }

    /// The sessions of this project, by the table in the run directory.
    func sessions() throws -> [SessionReading] {
        let table = SessionTable.open(in: project.stack["MESHER_RUN_DIR"])
        return table?.readings().filter { $0.project == Int64(project.id) } ?? []
    }

    /// Every message of `count` sent in one go, every answer that came.
    static func pipeline(_ client: StreamClient, count: Int, name: String = "m") -> [StreamClient.Received] {
        for number in 0..<count { client.send(event("\(name) \(number)")) }
        return (0..<count).map { _ in client.receive() }
    }
}

extension StreamClient.Received {
    var isAccepted: Bool {
        if case .text(let text) = self { text.hasPrefix(#"{"status":"accepted""#) } else { false }
    }
}
