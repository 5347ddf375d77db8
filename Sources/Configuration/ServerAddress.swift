/// Where a server listens: a host's name or address, and a TCP port.
package struct ServerAddress: Equatable, Sendable, CustomStringConvertible {
    package let host: String
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// A colon separates port and host; an IPv6 address is in brackets.
    private init?(_ text: Substring) {
        let isBracketed = text.first == "["
        guard let end = isBracketed ? text.firstIndex(of: "]") : text.lastIndex(of: ":") else { return nil }
        let host = isBracketed ? text[text.index(after: text.startIndex)..<end] : text[..<end]
        let rest = isBracketed ? text[end...].dropFirst() : text[end...]
        guard rest.first == ":", let port = Int(rest.dropFirst()), (1...65_535).contains(port), !host.isEmpty,
            isBracketed || !host.contains(":"), !host.contains(where: { $0.isWhitespace || "/@".contains($0) })
        else { return nil }
        self.init(host: String(host), port: port)
    }

    /// Servers separated by commas, `a:26379,b:26379,[::1]:26379`; none in an empty text, nil when one cannot be read.
    package static func list(_ text: String) -> [ServerAddress]? {
        var servers: [ServerAddress] = []
        for part in text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let server = ServerAddress(part.drop { $0 == " " }) else { return nil }
            servers.append(server)
        }
        return servers
    }
}
