import Foundation
import TestServers

/// An HTTP server on the loopback interface that gives one answer to everything and writes down what came.
final class StubHTTPServer {
    private let script: SupervisedScript

    /// - Parameter isSecure: whether it speaks TLS, with a certificate that it has signed itself.
    init(status: Int, body: String, headers: [String: String] = [:], isSecure: Bool = false) throws {
        let answer = try JSONSerialization.data(withJSONObject: [
            "status": status, "body": body, "headers": headers, "secure": isSecure,
        ])
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

    /// Where its certificate is, if it speaks TLS.
    var certificate: String { script.folder + "/certificate" }

    /// What Mesher's answers have for browsers.
    static let browsers = [
        "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "POST, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Sentry-Auth",
    ]

    /// A line for each request: path, key and event as JSON; path and size when there was no key.
    var requests: [Substring] { read("requests").split(separator: "\n") }

    private func read(_ name: String) -> String {
        (try? String(contentsOfFile: script.folder + "/" + name, encoding: .utf8)) ?? ""
    }

    private static let program = """
        import http.server, json, os, ssl, subprocess, sys
        folder = sys.argv[1]
        answer = json.load(open(folder + "/answer"))
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_OPTIONS(self):
                self.send_response(204)
                for name, value in answer["headers"].items(): self.send_header(name, value)
                self.end_headers()
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
        if answer["secure"]:
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-keyout", folder + "/key", "-out", folder + "/certificate", "-subj", "/CN=127.0.0.1",
                 "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder + "/certificate", folder + "/key")
            server.socket = context.wrap_socket(server.socket, server_side=True)
        with open(folder + "/port.new", "w") as file: file.write(str(server.server_address[1]))
        os.rename(folder + "/port.new", folder + "/port")
        server.serve_forever()
        """
}
