internal import TLS

/// What the operator wants of `mesher setup`.
struct SetupAnswers {
    /// Where senders reach Mesher, `http://host[:port]` or `https://host[:port]`.
    let publicURL: String
    /// The same in parts, for nginx.
    let site: Site
    let database: String
    /// The first project's name; its slug is derived from it.
    let project: String
    let setsPasswords: Bool
    var certificate: Certificate?
    let writesNginx: Bool
    /// For both roles' connections.
    var encryption = DatabaseEncryption(nil)
    /// Nil for a Redis that the configuration names already, or that is on this host.
    var redis: RedisURL?
    /// What TLS to Redis needs.
    var redisFiles = TLSContext.Files(authorities: "")

    /// A server of nginx: what clients call it.
    struct Site: Equatable {
        let isEncrypted: Bool
        let host: String
        let port: Int

        /// - Parameter url: a public URL.
        /// - Returns: nil when it is none, or when it has a path, which needs a server that the operator writes.
        init?(_ url: String) {
            let parts = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[1].isEmpty, let scheme = ["http:": false, "https:": true][parts[0]] else {
                return nil
            }
            let place = parts[2].last == "/" ? parts[2].dropLast() : parts[2]
            let pieces = place.split(separator: ":", omittingEmptySubsequences: false)
            guard let name = pieces.first, !name.isEmpty, pieces.count <= 2,
                name.utf8.allSatisfy({ Self.isHostByte($0) })
            else { return nil }
            var port: Int? = scheme ? 443 : 80
            if pieces.count == 2 { port = Int(pieces[1]).flatMap { (1...65_535).contains($0) ? $0 : nil } }
            guard let port else { return nil }
            isEncrypted = scheme
            host = String(name)
            self.port = port
        }

        private static func isHostByte(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
            default: false
            }
        }
    }

    /// What nginx shows to clients of an `https` site.
    struct Certificate: Equatable {
        let file: String
        let key: String
    }
}
