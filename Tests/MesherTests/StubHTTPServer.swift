import Foundation
import TestServers

/// An HTTP server on the loopback interface that gives one answer to everything and writes down what came.
final class StubHTTPServer {
    private let script: SupervisedScript

    init(status: Int, body: String, headers: [String: String] = [:]) throws {
        let answer = try JSONSerialization.data(withJSONObject: ["status": status, "body": body, "headers": headers])
        let start = """
            cat >"$1/server.py" <<'PYTHON'
            \(Self.program)
            PYTHON
            cat >"$1/answer" <<'JSON'
            \(String(decoding: answer, as: UTF8.self))
            JSON
            python3 "$1/server.py" "$1" </dev/null &
            """
        script = try SupervisedScript(start, name: "http")
        guard eventually({ !self.read("port").isEmpty }) else {
            throw TestService.Failed(description: "no HTTP server")
        }
    }

    var authority: String { "127.0.0.1:\(read("port"))" }

    /// A line for each request: path, key and event as JSON; path and size when there was no key.
    var requests: [Substring] { read("requests").split(separator: "\n") }

    private func read(_ name: String) -> String {
        (try? String(contentsOfFile: script.folder + "/" + name, encoding: .utf8)) ?? ""
    }

    private static let program = """
        import http.server, json, os, sys
        folder = sys.argv[1]
        answer = json.load(open(folder + "/answer"))
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                with open(folder + "/requests", "a") as log:
                    key = self.headers["x-sentry-auth"]
                    log.write(json.dumps([self.path, key, json.loads(body)]) if key else f'"{self.path}" {len(body)}')
                    log.write("\\n")
                self.send_response(answer["status"])
                for name, value in answer["headers"].items(): self.send_header(name, value)
                self.send_header("content-length", str(len(answer["body"].encode())))
                self.end_headers()
                self.wfile.write(answer["body"].encode())
            def log_message(self, *arguments): pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        with open(folder + "/port.new", "w") as file: file.write(str(server.server_address[1]))
        os.rename(folder + "/port.new", folder + "/port")
        server.serve_forever()
        """
}
