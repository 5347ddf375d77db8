import Foundation
import RecordedInputs
import TestServers
import Testing

extension EndToEnd {
    /// Mesher's files in an nginx that was there before, with settings of its own at every level.
    struct InheritedNginxTests {
        private let stack: Stack

        init() throws {
            stack = try EndToEnd.stack()
        }

        /// What an operator may already have at the http level, and would do harm to Mesher's routes.
        private static let inherited = """
            error_page 400 401 404 405 413 415 429 500 502 503 504 /sorry.html;
            fastcgi_intercept_errors on;
            proxy_intercept_errors on;
            auth_basic "Operators only";
            auth_basic_user_file empty;
            limit_req_zone $binary_remote_addr zone=theirs:1m rate=1r/m;
            limit_req zone=theirs;
            limit_conn_zone $binary_remote_addr zone=conns:1m;
            limit_conn conns 1;
            client_max_body_size 1k;
            fastcgi_cache_path cache keys_zone=theirs_cache:1m;
            fastcgi_cache theirs_cache;
            fastcgi_cache_key $uri;
            fastcgi_cache_methods GET HEAD POST;
            fastcgi_cache_valid any 1h;
            fastcgi_keep_conn off;
            fastcgi_next_upstream off;
            fastcgi_ignore_headers X-Accel-Redirect;
            fastcgi_param REQUEST_METHOD DELETE;
            add_header Access-Control-Allow-Origin https://theirs.example always;
            expires 1h;
            open_file_cache max=100 inactive=1h;
            open_file_cache_valid 1h;
            """

        /// What an operator's server may already have.
        private static let sites = """
            server {
                listen 127.0.0.1:PORT default_server;
                server_name other;
                return 418;
            }
            server {
                listen 127.0.0.1:PORT;
                server_name localhost;
                error_page 404 /sorry.html;
                location / { return 200 "theirs"; }
                location ~ /events$ { return 200 "taken over"; }
                include mesher-server.conf;
            }
            """

        /// Runs a private nginx around the shipped files, pointed at the sockets of the stack, while the body runs.
        ///
        /// - Parameter limits: what stands in the operator's file of limits for Mesher; nil when he has none.
        private func withNginx(limits: String? = nil, _ body: (Int) throws -> Void) throws {
            let folder = stack.folder + "/inherited"
            let port = stack.port + 2
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try configure(folder, sites: Self.sites.replacingOccurrences(of: "PORT", with: "\(port)"))
            if let limits { try Data(limits.utf8).write(to: URL(fileURLWithPath: folder + "/mesher-limits.conf")) }
            let arguments = ["/usr/sbin/nginx", "-p", folder + "/", "-c", folder + "/nginx.conf", "-e", "error.log"]
            try Execution.output(arguments + ["-t"])
            let nginx = try Execution.Running(arguments[0], Array(arguments.dropFirst()) + ["-g", "daemon off;"])
            defer {
                _ = try? Execution.output(arguments + ["-s", "stop"])
                _ = nginx.wait()
                try? FileManager.default.removeItem(atPath: folder)
            }
            let isThere = eventually { (try? HTTPConnection(port: port)) != nil }
            try #require(isThere)
            try body(port)
        }

        /// Writes the shipped files with the stack's paths, and an nginx.conf around them.
        private func configure(_ folder: String, sites: String) throws {
            let shipped = Stack.root + "/nginx"
            for name in try FileManager.default.contentsOfDirectory(atPath: shipped) {
                let text = try String(contentsOfFile: "\(shipped)/\(name)", encoding: .utf8)
                    .replacingOccurrences(of: "/run/mesher", with: stack["MESHER_RUN_DIR"])
                    .replacingOccurrences(of: "/usr/local/share/mesher/nginx/", with: "")
                    .replacingOccurrences(of: "/usr/local/share/mesher", with: Stack.root)
                    .replacingOccurrences(of: "/var/log/nginx/", with: "")
                    .replacingOccurrences(of: "/etc/nginx/mesher", with: "mesher")
                    .replacingOccurrences(of: "127.0.0.1:9464", with: "unix:\(folder)/operator.sock")
                try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            try Data().write(to: URL(fileURLWithPath: folder + "/empty"))
            try FileManager.default.createDirectory(atPath: folder + "/html", withIntermediateDirectories: true)
            try Data("<h1>sorry</h1>".utf8).write(to: URL(fileURLWithPath: folder + "/html/sorry.html"))
            let configuration = Nginx.configuration(
                """
                \(Self.inherited)
                include mesher-http.conf;
                include mesher-operator.conf;
                \(sites)
                """)
            try Data(configuration.utf8).write(to: URL(fileURLWithPath: folder + "/nginx.conf"))
        }

        @Test("Nothing of the settings around it leaks into Mesher's routes")
        func nothingLeaksIn() throws {
            let project = try Project.create(on: stack)
            let event = Array(#"{"message":"m","level":"info"}"#.utf8)
            let authorization = [("Authorization", "Bearer \(project.key)")]
            try withNginx { port in
                func post(
                    _ headers: [(String, String)], _ body: [UInt8], to target: String = "/api/v1/events"
                ) throws -> HTTPResponse {
                    let connection = try HTTPConnection(port: port)
                    connection.send("POST", target, headers, body: body)
                    return try connection.receive()
                }
                // A limit of theirs would refuse the second, a cache of theirs would repeat the first's id.
                let ids = try (0..<5).map { _ in try post(authorization, event).id }
                #expect(Set(ids).count == 5 && !ids.contains(nil))
                let bulk = Array("[".utf8) + event + Array("]".utf8)
                #expect(try post(authorization, bulk, to: "/api/v1/events/bulk").status == 202)
                let large = Array(#"{"message":"m","level":"info","x":""#.utf8) + Array(repeating: 0x78, count: 500_000)
                #expect(try post(authorization, large + Array(#""}"#.utf8)).status == 202)
                let answers: [(HTTPResponse, Int, String)] = [
                    (try post([], event), 401, "unauthorized"), (try post(authorization, [0x7b]), 400, "invalid_json"),
                    (try post(authorization, event, to: "/api/x"), 404, "not_found"),
                    (try post(authorization, Array(repeating: 0x20, count: 1_048_577)), 400, "payload_too_large"),
                    (try post(authorization + [("Content-Encoding", "x")], event), 415, "unsupported_encoding"),
                    (try post(authorization, event, to: "/ingest"), 400, "malformed_request"),
                    // Handed on from one worker to another.
                    (
                        try post(authorization + [("Content-Encoding", "br")], SlowBodies.brotli(60_000)), 400,
                        "too_costly"
                    ),
                ]
                for (answer, status, reason) in answers {
                    #expect(answer.status == status)
                    #expect(answer.reason == reason, "\(answer.text)")
                }
                for target in ["/healthz", "/readyz"] {
                    let connection = try HTTPConnection(port: port)
                    connection.send("GET", target)
                    #expect(try connection.receive().status == 200, "\(target)")
                }
            }
            #expect(try project.count() == 7)
        }

        @Test("Limits in the operator's file for Mesher hold, with Mesher's own answers, and nginx says so")
        func ownLimits() throws {
            let project = try Project.create(on: stack)
            let event = Array(#"{"message":"m","level":"info"}"#.utf8)
            func says(_ port: Int) throws -> String? {
                let connection = try HTTPConnection(port: port)
                connection.send("GET", "/healthz")
                return try connection.receive().header("mesher-other-limits")
            }
            try withNginx { port in
                let answer = try says(port)
                #expect(answer == "no")
            }
            try withNginx(limits: "limit_req zone=theirs burst=2 nodelay;") { port in
                let answer = try says(port)
                #expect(answer == "yes")
                func answers(_ target: String) throws -> HTTPResponse? {
                    try (0..<5).map { _ in
                        let connection = try HTTPConnection(port: port)
                        connection.send("POST", target, [("Authorization", "Bearer \(project.key)")], body: event)
                        return try connection.receive()
                    }.first { $0.status == 429 }
                }
                let native = try #require(try answers("/api/v1/events"))
                #expect(native.reason == "too_many_requests" && native.header("retry-after") == "1")
                let sentry = try #require(try answers("/api/\(project.id)/store/"))
                #expect(sentry.json["causes"] as? [String] == ["too_many_requests"])
                let client = try StreamClient(port: port, ["Authorization: Bearer \(project.key)"])
                #expect(client.status == 429)
            }
        }

        @Test("Browsers find one Access-Control-Allow-Origin in each answer, and are told to keep none")
        func crossOrigin() throws {
            let project = try Project.create(on: stack)
            try withNginx { port in
                let origin = ("Origin", "https://shop.example")
                let requests: [(String, String, [(String, String)], String)] = [
                    ("OPTIONS", "/api/v1/events", [origin, ("Access-Control-Request-Method", "POST")], ""),
                    (
                        "POST", "/api/v1/events", [origin, ("Authorization", "Bearer \(project.key)")],
                        #"{"message":"m","level":"info"}"#
                    ),
                    ("POST", "/api/\(project.id)/envelope/", [origin], "{}"), ("GET", "/ingest", [origin], ""),
                    ("POST", "/api/v1/events", [origin], String(repeating: " ", count: 1_048_577)),
                ]
                for (method, target, headers, body) in requests {
                    let connection = try HTTPConnection(port: port)
                    connection.send(method, target, headers, body: Array(body.utf8))
                    let headers = try connection.receive().headers.map { ($0.name.lowercased(), $0.value) }
                    #expect(
                        headers.filter { $0.0 == "access-control-allow-origin" }.map(\.1) == ["*"],
                        "\(method) \(target)")
                    #expect(!headers.contains { $0.0 == "expires" || $0.1 == "max-age=3600" }, "\(method) \(target)")
                }
            }
        }

        @Test("Metrics and status are each second's, and nobody is told to keep them, whatever the http level caches")
        func metrics() throws {
            try withNginx { port in
                let socket = stack.folder + "/inherited/operator.sock"
                func fetch(_ path: String) throws -> String {
                    try Execution.output(
                        [
                            "curl", "--silent", "--show-error", "--fail", "--include", "--compressed", "--unix-socket",
                            socket, "http://localhost\(path)",
                        ])
                }
                func time(_ text: String) -> Double? {
                    let name = "mesher_metrics_timestamp_seconds "
                    let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
                    return line.flatMap { Double($0.dropFirst(name.count)) }
                }
                var latest = try #require(time(fetch("/metrics")))
                for _ in 0..<3 {
                    let isNewer = try eventually {
                        let next = try #require(try time(fetch("/metrics")))
                        try #require(next >= latest, "it goes backward")
                        defer { latest = next }
                        return next > latest
                    }
                    #expect(isNewer)
                }
                for path in ["/metrics", "/status.json"] {
                    let head = try fetch(path).lowercased()
                    #expect(head.contains("cache-control: no-store"), "\(path)")
                    #expect(
                        !head.contains("etag:") && !head.contains("expires:") && !head.contains("max-age"), "\(path)")
                }
                #expect(port > 0)
            }
        }

        @Test("Two connections at once are served where theirs are limited to one")
        func connectionLimit() throws {
            let project = try Project.create(on: stack)
            try withNginx { port in
                let event = Array(#"{"message":"m","level":"info"}"#.utf8)
                let headers = [("Authorization", "Bearer \(project.key)"), ("Content-Length", "\(event.count)")]
                let connections = try (0..<10).map { _ in try HTTPConnection(port: port) }
                for connection in connections { connection.send("POST", "/api/v1/events", headers) }
                for connection in connections { connection.send(event) }
                for connection in connections { #expect(try connection.receive().status == 202) }
            }
        }
    }
}
