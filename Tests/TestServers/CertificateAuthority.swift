internal import Glibc

/// A CA of a test's own, made by openssl(1), and the certificates that it signs. Everybody may read the certificates, and the
/// keys only this user. Its folder goes with it and with all that it has signed.
package final class CertificateAuthority: Sendable {
    /// A certificate and its private key.
    package struct Signed: Sendable {
        package let certificate: String
        package let key: String
        private let authority: CertificateAuthority?

        package init(certificate: String, key: String, by authority: CertificateAuthority? = nil) {
            self.certificate = certificate
            self.key = key
            self.authority = authority
        }
    }

    package let folder: String
    /// Its own certificate.
    package var certificate: String { folder + "/ca.pem" }

    package init() throws {
        folder = "/tmp/mesher-ca.\(UInt32.random(in: .min ... .max))"
        mkdir(folder, 0o755)
        let script = """
            \(Self.key) -x509 -days 2 -subj "/CN=CA of a test" -keyout "$1/ca.key" -out "$1/ca.pem"
            """
        try run(script, [folder])
    }

    deinit {
        _ = try? Execution.run("/bin/rm", ["-rf", folder])
    }

    /// Signs a certificate; one that is there under this name is replaced, each of its files at once.
    ///
    /// - Parameters:
    ///   - names: what it is for, as `DNS:localhost` or `IP:127.0.0.1`.
    ///   - isExpired: its last day was yesterday.
    ///   - owner: whose the key becomes, when this process is root's.
    package func sign(
        _ name: String, for names: [String] = ["DNS:localhost", "IP:127.0.0.1"], isExpired: Bool = false,
        owner: String? = nil
    ) throws -> Signed {
        let script = """
            \(Self.key) -subj "/CN=$2" -addext "subjectAltName=$3" -keyout "$1/$2.key.new" -out "$1/$2.csr"
            validity="-days \(isExpired ? -1 : 2)"
            # Newer ones take no end before the start.
            if \(isExpired) && openssl x509 -help 2>&1 | grep -q -e -not_before; then
                validity="-not_before 20200101000000Z -not_after 20200102000000Z"
            fi
            openssl x509 -req -in "$1/$2.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -copy_extensions copy \\
                $validity -out "$1/$2.pem.new"
            [ -z "$4" ] || [ "$(id -u)" != 0 ] || chown "$4" "$1/$2.key.new"
            mv "$1/$2.key.new" "$1/$2.key"
            mv "$1/$2.pem.new" "$1/$2.pem"
            """
        try run(script, [folder, name, names.joined(separator: ","), owner ?? ""])
        return Signed(certificate: "\(folder)/\(name).pem", key: "\(folder)/\(name).key", by: self)
    }

    private static let key = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"

    private func run(_ script: String, _ arguments: [String]) throws {
        let run = try Execution.run("/bin/sh", ["-c", "set -e\n" + script, "sh"] + arguments)
        guard run.status == 0 else { throw Failure(description: "openssl: \(run.errors)") }
    }

    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }
}
