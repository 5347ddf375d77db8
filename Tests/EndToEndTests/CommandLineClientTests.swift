import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// Programs that people report with from a shell or without an SDK, against a DSN of ours.
    struct CommandLineClientTests {
        let project: Project

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        private func run(_ command: [String], _ environment: [String: String] = [:]) throws -> String {
            let all = ["HOME": project.stack.folder, "LANG": "C.UTF-8"].merging(environment) { $1 }
            return try Execution.output(command, environment: all)
        }

        private func rows(_ columns: String) throws -> [[String]] {
            try project.stack.query(
                "SELECT \(columns) FROM events WHERE project_id = \(project.id) ORDER BY received_at")
        }

        /// A file that the stack's end takes along.
        private func file(_ name: String, _ text: String) throws -> String {
            let path = project.stack.folder + "/" + name
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }

        private static let program = PythonPackages.python.map {
            $0.replacing("/bin/python", with: "/bin/sentry-cli")
        }

        @Test(
            "sentry-cli: an event made from options and each of several raw files without an id are rows",
            .enabled(if: program != nil, "PyPI cannot be reached"))
        func sentryCLI() throws {
            let program = try #require(Self.program)
            let environment = ["SENTRY_DSN": project.dsn]
            _ = try run(
                [
                    program, "send-event", "-m", "It broke", "-l", "warning", "-r", "shop@1.2.3", "-E", "staging", "-t",
                    "a:b",
                ],
                environment)
            #expect(
                try rows("level, message, release, environment, tags->>'a'")
                    == [["warning", "It broke", "shop@1.2.3", "staging", "b"]])
            for name in ["first", "second", "third"] {
                let path = try file("\(name).json", #"{"message":"\#(name)"}"#)
                _ = try run([program, "send-event", "--raw", path], environment)
            }
            let count = try eventually { try project.count() == 4 }
            #expect(count)
        }

        @Test(
            "PHP's fsockopen, and fclose right after the last byte: each event is a row",
            .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/php"), "no PHP is installed"))
        func php() throws {
            _ = try run([
                "php", Stack.root + "/Tests/Clients/close_at_once.php", "127.0.0.1", "\(project.stack.port)",
                "\(project.id)", project.key, "100",
            ])
            let isStored = try eventually { try project.count() == 100 }
            #expect(isStored)
            #expect(try rows("sdk_name, sdk_version").first == ["mesher-php", "1.0"])
        }

        @Test("curl with HTTP/1.0: an event, a bulk and an envelope are rows", arguments: ["--http1.0", "--http1.1"])
        func curl(version: String) throws {
            let url = project.stack["MESHER_URL"]
            let event = #"{"message":"It broke","level":"error"}"#
            let lines = try file("events.ndjson", "\(event)\n\(event)\n")
            let envelope = try file("envelope", "{}\r\n{\"type\":\"event\"}\r\n\(event)\r\n")
            let requests = [
                ["--data", event, url + "/api/v1/events"], ["--data-binary", "@" + lines, url + "/api/v1/events/bulk"],
                ["--data-binary", "@" + envelope, url + "/api/\(project.id)/envelope/"],
            ]
            for arguments in requests {
                _ = try run(
                    [
                        "curl", version, "--silent", "--show-error", "--fail", "-H",
                        "Authorization: Bearer \(project.key)",
                    ]
                        + arguments)
            }
            #expect(try project.count() == 4)
        }

        @Test("mesher send: what a file or standard input holds goes to the route that is named")
        func send() throws {
            let event = try file("event.json", #"{"message":["It","broke"],"level":"warning"}"#)
            #expect(
                try project.stack.mesher("send", project.dsn, "--route", "store", "--file", event)
                    .hasPrefix("200 accepted "))
            #expect(try rows("level, message") == [["warning", #"["It","broke"]"#]])
            let piped = try run(
                [
                    "bash", "-c", #"echo '{"message":"m","level":"info"}' | "$0" send "$1" --file -"#,
                    project.stack["MESHER_BIN"] + "/mesher", project.dsn,
                ])
            #expect(piped.hasPrefix("202 accepted "))
            #expect(try project.count() == 2)
        }
    }
}
