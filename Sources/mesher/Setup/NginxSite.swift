/// The server of nginx through which senders reach Mesher.
struct NginxSite {
    static let path = "/etc/nginx/conf.d/mesher.conf"

    let site: SetupAnswers.Site
    let certificate: SetupAnswers.Certificate?
    /// The directory of Mesher's files for nginx.
    let share: String

    /// The lines of a server that serves Mesher, without those that say where it listens.
    var includes: [String] {
        ["malformed", "prefix", "server"].map { include($0) }
    }

    /// The whole file. It keeps working when Mesher's files are gone: nginx has to start for everybody else's sake.
    func text(hasIPv6: Bool) -> String {
        let listen = "\(site.port)\(site.isEncrypted ? " ssl" : "")"
        var lines = [
            "# By mesher setup, which does not change it again. The brackets make nginx start without Mesher's files too.",
            include("http"), include("operator"), "server {", "    listen \(listen);",
        ]
        if hasIPv6 { lines.append("    listen [::]:\(listen);") }
        lines.append("    server_name \(site.host);")
        if let certificate {
            lines += ["    ssl_certificate \(certificate.file);", "    ssl_certificate_key \(certificate.key);"]
        }
        return (lines + includes.map { "    " + $0 } + ["}"]).joined(separator: "\n") + "\n"
    }

    private func include(_ part: String) -> String { "include \(share)/mesher-\(part).con[f];" }

    /// Whether a configuration, as `nginx -T` prints it, has a server for Mesher.
    static func serves(_ configuration: String) -> Bool {
        directives(configuration).contains { $0.first == "include" && $0.last?.contains("/mesher-server.con") == true }
    }

    /// Whether it has a server of a name.
    static func names(_ host: String, in configuration: String) -> Bool {
        directives(configuration).contains { $0.first == "server_name" && $0.dropFirst().contains(Substring(host)) }
    }

    /// Each line's words, without comments.
    private static func directives(_ configuration: String) -> [[Substring]] {
        configuration.split(separator: "\n").map { line in
            line.prefix { $0 != "#" }.split { $0.isWhitespace || $0 == ";" || $0 == "{" || $0 == "}" }
        }
    }
}
