internal import Synchronization

/// A Redis on a loopback port, with TLS if it has a certificate.
package final class LoopbackRedis: Sendable {
    package let port = LoopbackPort.free()
    private let options: String
    private let script = Mutex<SupervisedScript?>(nil)

    /// - Parameters:
    ///   - certificate: the server's; nil for a server without TLS.
    ///   - clients: the CA whose client certificates it takes, and requires; nil when it asks for none.
    package init(_ certificate: CertificateAuthority.Signed? = nil, clients: CertificateAuthority? = nil) throws {
        if let certificate {
            options = """
                --port 0 --tls-port \(port) --tls-auth-clients \(clients == nil ? "no" : "yes") \
                --tls-cert-file \(certificate.certificate) --tls-key-file \(certificate.key) \
                --tls-ca-cert-file \(clients?.certificate ?? certificate.certificate)
                """
        } else {
            options = "--port \(port)"
        }
        try start()
    }

    /// Starts it, in the beginning and after `stop`, and waits until it listens.
    package func start() throws {
        let start = """
            redis-server --bind 127.0.0.1 --save '' --dir "$1" \(options) </dev/null >"$1/log" 2>&1 &
            """
        let started = try SupervisedScript(start, name: "redis", signal: "KILL")
        script.withLock { $0 = started }
        guard eventually({ LoopbackPort.isServed(port) }) else { throw Failure(description: "Redis does not listen") }
    }

    /// SIGKILL.
    package func stop() {
        script.withLock { script in
            script?.stop()
            script = nil
        }
    }

    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }
}
