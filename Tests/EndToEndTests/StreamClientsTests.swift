import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// WebSocket clients as they are published stream through nginx.
    struct StreamClientsTests {
        let project: Project

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        /// How many events each of them streams.
        private static let count = 10_000

        /// Runs a client of Tests/Clients, which prints how many of its events were accepted, and compares the rows.
        private func stream(_ command: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
            let output = try Execution.output(
                command + [project.stack["MESHER_WS_URL"], project.key, "\(Self.count)"],
                environment: ["HOME": NSHomeDirectory()])
            #expect(output == "\(Self.count)", sourceLocation: sourceLocation)
            let rows = try project.stack.query(
                """
                SELECT count(*), count(DISTINCT payload->>'extra') FROM events
                WHERE project_id = \(project.id) AND message LIKE 'streamed %'
                """)
            #expect(rows == [["\(Self.count)", "\(Self.count)"]], sourceLocation: sourceLocation)
        }

        private func client(_ name: String) -> String { Stack.root + "/Tests/Clients/" + name }

        @Test("websockets, which compresses, and websocket-client", arguments: ["websockets", "websocket-client"])
        func python(library: String) throws {
            // Where PyPI cannot be reached, Debian's.
            try stream([PythonPackages.python ?? "/usr/bin/python3", client("stream_python.py"), library])
        }

        @Test(
            "A page in Chromium, whose key is a subprotocol",
            .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/chromium"), "no Chromium is installed"))
        func browser() throws {
            try stream(["python3", client("stream_browser.py")])
        }
    }
}
