import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// Programs of Sentry's, as they are published, against a DSN of ours.
    struct SentrySDKTests {
        let project: Project

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        /// Runs a client and returns the ids that it says its events have, by what they are.
        private func run(_ command: [String], _ environment: [String: String] = [:]) throws -> [String: String] {
            let all = ["HOME": NSHomeDirectory(), "LANG": "C.UTF-8"].merging(environment) { $1 }
            let output = try Execution.output(command, environment: all)
            let last = output.components(separatedBy: "\n").last ?? ""
            return try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: String])
        }

        /// A client of Tests/Clients.
        private func client(_ name: String) -> String { Stack.root + "/Tests/Clients/" + name }

        /// Columns of the row with an id.
        private func row(_ id: String?, _ columns: String) throws -> [String] {
            let rows = try project.stack.query(
                "SELECT \(columns) FROM events WHERE project_id = \(project.id) AND event_id = '\(id ?? "")'")
            return rows.first ?? []
        }

        private static let columns =
            "level, message, release, environment, server_name, tags->>'region', tags->>'shard', "
            + "now() - timestamp BETWEEN '0' AND '1 minute'"
        private static let scope = ["shop@1.2.3", "staging", "web-1", "eu", "7", "t"]

        @Test(
            "sentry-sdk for Python: every kind of event is a row as it was sent, everything else is answered 200",
            .enabled(if: PythonPackages.python != nil, "PyPI cannot be reached"),
            arguments: ["br", "gzip", "none", "absent"])
        func sentryPython(compression: String) throws {
            let python = try #require(PythonPackages.python)
            let before = try HostMetrics.next(from: project.stack)
            let ids = try run([python, client("sentry_python.py"), project.dsn, compression])
            #expect(try row(ids["exception"], Self.columns) == ["error", "KeyError: 'missing'"] + Self.scope)
            #expect(try row(ids["message"], Self.columns) == ["warning", "It broke: ünïcödé"] + Self.scope)
            #expect(try row(ids["attachment"], Self.columns) == ["fatal", "with an attachment"] + Self.scope)
            #expect(try row(ids["feedback"], "level, message") == ["info", "I like it"])
            #expect(
                try row(ids["exception"], "platform, sdk_name, payload->'exception'->'values'->0->>'type'")
                    == ["python", "sentry.python", "KeyError"])
            #expect(try project.count() == 4)
            // Transaction, session, check-in, log and attachment are counted, and nothing was refused.
            let after = try HostMetrics.next(from: project.stack)
            let (all, taken) = (Self.requests(after) - Self.requests(before), Self.taken(after) - Self.taken(before))
            #expect(all == taken && taken >= 7)
        }

        private static func requests(_ metrics: HostMetrics) -> Double {
            metrics["mesher_requests_total", ["route": "envelope"]]
        }

        private static func taken(_ metrics: HostMetrics) -> Double {
            metrics["mesher_requests_total", ["route": "envelope", "status": "200"]]
        }

        @Test(
            "raven for Python, of 2018: exception and message are rows",
            .enabled(if: PythonPackages.python != nil, "PyPI cannot be reached"))
        func ravenPython() throws {
            let ids = try run([try #require(PythonPackages.python), client("raven_python.py"), project.dsn])
            #expect(try row(ids["exception"], Self.columns) == ["error", "KeyError: 'missing'"] + Self.scope)
            // It writes a parameter as Python does, with quotes.
            #expect(try row(ids["message"], Self.columns) == ["warning", "It broke: 'ünïcödé'"] + Self.scope)
        }

        @Test(
            "sentry-ruby and, of 2020, sentry-raven for Ruby: exception and message are rows",
            .enabled(if: RubySDKs.areThere, "Debian's ruby-sentry-ruby and ruby-sentry-raven are not installed"),
            arguments: ["sentry_ruby.rb", "raven_ruby.rb"])
        func ruby(name: String) throws {
            let ids = try run(["ruby", client(name), project.dsn])
            let exception = try row(ids["exception"], Self.columns)
            #expect(exception.first == "error" && Array(exception.dropFirst(2)) == Self.scope)
            #expect(exception.dropFirst().first?.hasPrefix("KeyError: key not found: \"missing\"") == true)
            #expect(try row(ids["message"], Self.columns) == ["warning", "It broke: ünïcödé"] + Self.scope)
            #expect(try project.count() == 2)
        }

        @Test(
            "sentry-go and, of 2018, raven-go: exception and message are rows",
            .enabled(if: DebianPackages.haveGo, "Debian's golang-go and its packages of Sentry's are not installed"),
            arguments: [("sentry_go.go", "sentry.go"), ("raven_go.go", "")])
        func go(name: String, sdk: String) throws {
            let ids = try run(["go", "run", client(name), project.dsn], DebianPackages.goEnvironment)
            let exception = try row(ids["exception"], Self.columns)
            #expect(exception.first == "error" && Array(exception.dropFirst(2)) == Self.scope)
            #expect(exception.dropFirst().first?.contains("missing") == true)
            #expect(try row(ids["message"], Self.columns) == ["warning", "It broke: ünïcödé"] + Self.scope)
            #expect(try row(ids["message"], "platform, sdk_name") == ["go", sdk])
            #expect(try project.count() == 2)
        }

        @Test(
            "raven-js under Node: exception and message are rows",
            .enabled(if: DebianPackages.haveRavenJS, "Node and Debian's node-raven-js are not installed"))
        func ravenJS() throws {
            let ids = try run(["node", client("raven_js.js"), project.dsn], DebianPackages.nodeEnvironment)
            let exception = try row(ids["exception"], Self.columns)
            #expect(exception.first == "error" && Array(exception.dropFirst(2)) == Self.scope)
            #expect(exception.dropFirst().first?.hasPrefix("TypeError: ") == true)
            #expect(try row(ids["message"], Self.columns) == ["warning", "It broke: ünïcödé"] + Self.scope)
            #expect(try row(ids["message"], "sdk_name, sdk_version") == ["raven-js", "3.22.1"])
            #expect(try project.count() == 2)
        }

        @Test(
            "A page in Chromium that closes has its last events stored, by sendBeacon and by fetch with keepalive",
            .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/chromium"), "no Chromium is installed"))
        func leavingBrowser() throws {
            let browser = try Execution.Running(
                "/usr/bin/env",
                ["python3", client("leaving_browser.py"), project.stack["MESHER_URL"], "\(project.id)", project.key],
                environment: ["HOME": NSHomeDirectory()])
            defer {
                browser.interrupt()
                _ = browser.wait()
            }
            let wanted = [
                "beacon, blob", "beacon, envelope", "beacon, event", "fetch, after a preflight", "fetch, keepalive",
            ]
            var messages: [String] = []
            _ = try eventually {
                messages = try project.stack.query(
                    "SELECT message FROM events WHERE project_id = \(project.id) ORDER BY message COLLATE \"C\""
                ).map { $0[0] }
                return messages.count >= wanted.count
            }
            #expect(messages == wanted)
        }

        @Test(
            "A page in Chromium sends by fetch across origins and reads the answer; one that violates its policy is a row",
            .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/chromium"), "no Chromium is installed"))
        func browser() throws {
            let output = try Execution.output(
                ["python3", client("browser.py"), project.stack["MESHER_URL"], "\(project.id)", project.key],
                environment: ["HOME": NSHomeDirectory()])
            let shown = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
            let id = try #require(shown["id"] as? String)
            for name in ["plain", "asked"] {
                let answer = try #require(shown[name] as? [String: Any], "\(shown)")
                #expect(answer["status"] as? Int == 200)
                #expect(answer["body"] as? String == #"{"id":"\#(id)"}"#)
            }
            let refused = try #require(shown["refused"] as? [String: Any])
            #expect(refused["status"] as? Int == 400)
            #expect(refused["error"] as? String == "invalid sentry_key: must be 32 hex digits")
            #expect(try row(id, "level, message") == ["error", "It broke in a browser"])
            let isReported = try eventually { try project.count() == 2 }
            #expect(isReported)
            let messages = try project.stack.query(
                "SELECT message FROM events WHERE project_id = \(project.id) AND event_id <> '\(id)'")
            #expect(messages.first?.first?.contains("img-src") == true)
            #expect(messages.first?.first?.contains("blocked.example") == true)
        }
    }
}

/// Sentry's programs in other languages, as Debian has them.
private enum DebianPackages {
    /// Packages of Debian's are found by their path; what is made of them is kept for the next time.
    static let goEnvironment = [
        "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "-p=2", "GOCACHE": Stack.root + "/.build/go",
    ]
    static let nodeEnvironment = ["NODE_PATH": "/usr/share/nodejs"]

    static let haveGo: Bool = {
        let folder = "/usr/share/gocode/src/github.com/getsentry"
        let isThere = ["sentry-go", "raven-go"].allSatisfy { access("\(folder)/\($0)", F_OK) == 0 }
        return isThere && (try? Execution.run(["go", "version"]))?.status == 0
    }()

    static let haveRavenJS: Bool = {
        let run = try? Execution.run(
            ["node", "-e", "fetch; require('raven-js/package.json')"], environment: nodeEnvironment)
        return run?.status == 0
    }()
}

private enum RubySDKs {
    static let areThere: Bool = {
        let run = try? Execution.run(["ruby", "-e", "require 'sentry-ruby'; require 'raven'"])
        return run?.status == 0
    }()
}
