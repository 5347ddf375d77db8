internal import Configuration
internal import TLS

/// Where Redis is: `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, and `rediss://` over TLS, as redis-cli(1) has it.
struct RedisURL: Equatable {
    let isEncrypted: Bool
    let host: String
    let port: Int
    let database: Int
    let user: String
    var password: String

    /// - Returns: nil when it is none.
    init?(_ url: String) {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[1].isEmpty, let isEncrypted = ["redis:": false, "rediss:": true][parts[0]] else {
            return nil
        }
        let halves = parts[2].split(separator: "@", omittingEmptySubsequences: false)
        guard let place = halves.last, halves.count <= 2, let (host, port) = Self.place(place) else { return nil }
        let names = (halves.count == 2 ? halves[0] : "").split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = Self.decoded(names.first ?? ""), let password = Self.decoded(names.count == 2 ? names[1] : "")
        else { return nil }
        let number = parts.count == 4 && !parts[3].isEmpty ? Int(parts[3]) : 0
        guard let number, (0...65_535).contains(number) else { return nil }
        self.isEncrypted = isEncrypted
        (self.host, self.port, database, self.user, self.password) = (host, port, number, user, password)
    }

    /// The configuration's lines, but for the password.
    func settings(_ files: TLSContext.Files) -> [(name: String, value: String)] {
        var settings = [(Setting.redisHost.name, host), (Setting.redisPort.name, "\(port)")]
        if database != 0 { settings.append((Setting.redisDatabase.name, "\(database)")) }
        if !user.isEmpty { settings.append((Setting.redisUser.name, user)) }
        guard isEncrypted else { return settings }
        settings.append((Setting.redisTLS.name, "on"))
        let named: [(Setting, String)] = [
            (.redisAuthorities, files.authorities), (.redisCertificate, files.certificate),
            (.redisCertificateKey, files.key),
        ]
        return settings + named.filter { !$0.1.isEmpty }.map { ($0.0.name, $0.1) }
    }

    private static func place(_ text: Substring) -> (String, Int)? {
        var (host, rest) = (text.prefix { $0 != ":" }, text.drop { $0 != ":" })
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[..<end].dropFirst()
            rest = text[text.index(after: end)...]
        }
        let port = rest.isEmpty ? 6379 : rest.first == ":" ? Int(rest.dropFirst()) : nil
        guard let port, (1...65_535).contains(port), !host.isEmpty, !host.contains(where: \.isWhitespace) else {
            return nil
        }
        return (String(host), port)
    }

    /// Without `%41` and the like; nil for such that are none, and for what no line of the configuration can hold.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard !bytes.contains(where: { $0 < 0x20 }) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
