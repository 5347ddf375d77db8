internal import Glibc
package import System

/// What the running service has read: the file `configuration` in the run directory, which only its user and root can
/// read. It holds a salted digest of each value, not the value, so that somebody who can read the values can tell
/// whether one has changed. The same for the files of certificates and keys that edges read when they start.
package struct ConfigurationRecord: Equatable, Sendable {
    /// The configuration file.
    private let path: String
    private let salt: UInt64
    /// Settings that come neither from that file nor from one it names have no digest: other processes have another
    /// environment.
    private let digests: [String: UInt64]

    /// - Parameters:
    ///   - settings: those of the running service.
    ///   - path: the file that they were read from.
    package init(_ settings: Settings, file path: String?, salt: UInt64 = .random(in: .min ... .max)) {
        self.path = path ?? Settings.path
        self.salt = salt
        digests = Self.digests(of: settings, salt)
    }

    /// The settings of the service; the commands read their own each time.
    private static let settings = Setting.all.filter { $0.programs != [.mesher] }

    /// The files that edges read once.
    private static let files: [Setting] = [.redisAuthorities, .redisCertificate, .redisCertificateKey]

    /// The settings whose value has changed, or what is in the file that they name; none when that is unknown.
    package func changed(in settings: Settings, file path: String?) -> [Setting] {
        guard path ?? Settings.path == self.path else { return [] }
        let current = Self.digests(of: settings, salt)
        return Self.settings.filter { setting in
            [setting.name, Self.content(of: setting)].contains { name in
                guard let then = digests[name], let now = current[name] else { return false }
                return then != now
            }
        }
    }

    /// Whether the service would read the same of these settings as was read here.
    package func speaks(of needed: [Setting], in settings: Settings, file path: String?) -> Bool {
        guard path ?? Settings.path == self.path else { return false }
        return needed.allSatisfy { setting in
            digests[setting.name] != nil && Self.digest(of: setting, in: settings, salt) != nil
        }
    }

    /// Under which the digest of a file that a setting names is found.
    private static func content(of setting: Setting) -> String { "content-of:\(setting.name)" }

    private static func digests(of settings: Settings, _ salt: UInt64) -> [String: UInt64] {
        var digests: [String: UInt64] = [:]
        for setting in Self.settings { digests[setting.name] = digest(of: setting, in: settings, salt) }
        guard settings.isOn(.redisTLS) else { return digests }
        for setting in files { digests[content(of: setting)] = digest(ofFile: settings.text(setting), salt) }
        return digests
    }

    private static func digest(of setting: Setting, in settings: Settings, _ salt: UInt64) -> UInt64? {
        switch settings.origin(setting) {
        case .default, .file: break
        case .environment, .commandLine: return nil
        }
        return digest(settings.text(setting).utf8, from: start(salt))
    }

    /// Nil for a file that cannot be read.
    private static func digest(ofFile path: String, _ salt: UInt64) -> UInt64? {
        guard !path.isEmpty, let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var result = start(salt)
        while case let count = fread(&bytes, 1, bytes.count, file), count > 0 {
            result = digest(bytes.prefix(count), from: result)
        }
        return ferror(file) == 0 ? result : nil
    }

    private static func start(_ salt: UInt64) -> UInt64 {
        digest((0..<8).map { UInt8(truncatingIfNeeded: salt >> (8 * $0)) }, from: 0xcbf2_9ce4_8422_2325)
    }

    /// FNV-1a.
    private static func digest(_ bytes: some Sequence<UInt8>, from start: UInt64) -> UInt64 {
        bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    // MARK: The file

    package static func path(in runDirectory: String) -> String {
        runDirectory + "/configuration"
    }

    private var text: String {
        let lines = digests.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return (["\(salt) \(path)"] + lines).joined(separator: "\n") + "\n"
    }

    private init?(_ text: String) {
        let lines = text.split(separator: "\n")
        let head = lines.first?.split(separator: " ", maxSplits: 1) ?? []
        guard head.count == 2, let salt = UInt64(head[0]) else { return nil }
        self.salt = salt
        path = String(head[1])
        let pairs = lines.dropFirst().compactMap { line -> (String, UInt64)? in
            let words = line.split(separator: " ")
            guard words.count == 2, let digest = UInt64(words[1]) else { return nil }
            return (String(words[0]), digest)
        }
        digests = Dictionary(pairs) { first, _ in first }
    }

    /// Nil when no service runs, or this process may not read its file.
    package static func read(in runDirectory: String) -> ConfigurationRecord? {
        guard let file = fopen(path(in: runDirectory), "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&bytes, 1, bytes.count, file)
        return ConfigurationRecord(String(decoding: bytes.prefix(count), as: UTF8.self))
    }

    /// Replaces the file.
    package func write(in runDirectory: String) throws(SystemError) {
        try ReplacedFile.write(text, to: Self.path(in: runDirectory), mode: 0o600)
    }
}
