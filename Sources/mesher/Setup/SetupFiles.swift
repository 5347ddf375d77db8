internal import Configuration

/// The files that `mesher setup` writes outside of nginx, and what is in them.
enum SetupFiles {
    static let configuration = Settings.path
    static let storageURL = "/etc/mesher/storage-url"
    static let ownerURL = "/etc/mesher/owner-url"
    static let redisPassword = "/etc/mesher/redis-password"
    /// systemd reads the owner's password as root, and passes it to the maintenance alone.
    static let maintenance = "/etc/systemd/system/mesher-maintenance.service.d/database.conf"
    static let all = [configuration, storageURL, ownerURL, redisPassword, maintenance]

    static let maintenanceText = """
        [Service]
        LoadCredential=database-url:\(ownerURL)
        Environment=MESHER_DATABASE_URL_FILE=%d/database-url

        """

    /// A configuration file's text with the settings that it does not have yet, behind all that stands there.
    ///
    /// - Returns: nil when it has them all.
    static func adding(_ settings: [(name: String, value: String)], to text: String) -> String? {
        let present = Set(text.split(separator: "\n").compactMap { name(in: $0) })
        let missing = settings.filter { setting in
            !present.contains(setting.name) && !present.contains(base(setting.name))
        }
        if missing.isEmpty { return nil }
        let start = text.isEmpty || text.last == "\n" ? text : text + "\n"
        return missing.reduce(start) { $0 + "\($1.name)=\($1.value)\n" }
    }

    /// The value that a configuration file's text gives to a setting; nil when it gives none.
    static func value(of name: String, in text: String) -> String? {
        text.split(separator: "\n").last { Self.name(in: $0) == name }.flatMap { line in
            line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).last.map(trimmed)
        }
    }

    private static func name(in line: Substring) -> String? {
        guard let name = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).first else {
            return nil
        }
        return line.contains("=") ? trimmed(name) : nil
    }

    /// A secret's own name, where its file is named.
    private static func base(_ name: String) -> String {
        name.hasSuffix("_FILE") ? String(name.dropLast("_FILE".count)) : name
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return String(rest)
    }
}
