internal import Glibc

/// All settings with their values: defaults, overridden by the file, the environment and the command line.
package struct Settings: Sendable {
    /// Where a value came from.
    package enum Origin: Equatable, Sendable, CustomStringConvertible {
        case `default`
        case file(String, line: Int)
        case environment
        case commandLine

        package var description: String {
            switch self {
            case .default: "default"
            case .file(let path, let line): "\(path):\(line)"
            case .environment: "environment"
            case .commandLine: "command line"
            }
        }
    }

    /// Why a configuration cannot be used; the start ends with exit status 78, `EX_CONFIG` of sysexits(3).
    package struct Fault: Error, Equatable, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    /// The file that is read when none is named.
    package static let path = "/etc/mesher/mesher.conf"

    private var values: [String: (value: String, origin: Origin)] = [:]
    private let readsSecretFiles: Bool

    /// Reads file, environment and command line.
    ///
    /// - Parameters:
    ///   - path: the file; nil means `path`, which may be absent. A named file must exist.
    ///   - environment: `NAME=value` each; unknown names are ignored.
    ///   - arguments: `NAME=value` each; anything else is a fault.
    ///   - readsSecretFiles: whether to read the files that `NAME_FILE` names. Whoever needs no secret may lack the
    ///     right to.
    /// - Throws: `Fault`, which names the file, the line and the key.
    package init(
        file path: String? = nil, environment: [String: String] = Self.processEnvironment(), arguments: [String] = [],
        readsSecretFiles: Bool = true
    ) throws(Fault) {
        self.readsSecretFiles = readsSecretFiles
        if let text = try Self.read(path ?? Self.path, required: path != nil) {
            try take(file: text, at: path ?? Self.path)
        }
        for setting in Setting.all {
            if let value = environment[setting.name] {
                try set(setting, value, from: .environment)
            } else if setting.isSecret, let file = environment[setting.name + "_FILE"] {
                try set(setting, secretIn: file, from: .environment)
            }
        }
        for argument in arguments {
            guard let equals = argument.firstIndex(of: "=") else {
                throw Fault(description: "command line: \(argument): expected NAME=value")
            }
            try set(
                named: String(argument[..<equals]), String(argument[argument.index(after: equals)...]),
                from: .commandLine)
        }
    }

    package func text(_ setting: Setting) -> String {
        values[setting.name]?.value ?? setting.fallback
    }

    /// A number; its range was checked when it was read.
    package func integer(_ setting: Setting) -> Int {
        Int(text(setting)) ?? 0
    }

    /// Whether something is on; that it is `on` or `off` was checked when it was read.
    package func isOn(_ setting: Setting) -> Bool {
        text(setting) == "on"
    }

    /// Where the spool is.
    package var spoolDirectory: String {
        let own = text(.spoolDirectory)
        return own.isEmpty ? text(.stateDirectory) + "/spool" : own
    }

    /// A value as it may be shown: a secret that was set is masked.
    package func shown(_ setting: Setting) -> String {
        let text = text(setting)
        return setting.isSecret && origin(setting) != .default && !text.isEmpty ? "********" : text
    }

    package func origin(_ setting: Setting) -> Origin {
        values[setting.name]?.origin ?? .default
    }

    /// The settings that the watchdog has given this process.
    package static func inherited() throws(Fault) -> Settings {
        try Settings(
            file: "/dev/null", environment: processEnvironment().merging(InheritedSecrets.take()) { $1 })
    }

    /// `NAME=value` for each setting that a program gets and that is not at its default: a child's whole environment.
    package func environment(for program: Program) -> [String] {
        given(to: program, secret: false)
    }

    /// The same for secret settings, which are never in an environment.
    package func secrets(for program: Program) -> [String] {
        given(to: program, secret: true)
    }

    private func given(to program: Program, secret: Bool) -> [String] {
        Setting.all.filter { $0.programs.contains(program) && $0.isSecret == secret && values[$0.name] != nil }
            .map { "\($0.name)=\(text($0))" }
    }

    /// The environment of this process, environ(7).
    package static func processEnvironment() -> [String: String] {
        var result: [String: String] = [:]
        for setting in Setting.all {
            for name in setting.isSecret ? [setting.name, setting.name + "_FILE"] : [setting.name] {
                if let value = getenv(name) { result[name] = String(cString: value) }
            }
        }
        return result
    }

    private mutating func take(file text: String, at path: String) throws(Fault) {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = Self.trimmed(line)
            if content.isEmpty || content.hasPrefix("#") { continue }
            let origin = Origin.file(path, line: index + 1)
            guard let equals = content.firstIndex(of: "=") else {
                throw Fault(description: "\(origin): \(content): expected NAME=value")
            }
            try set(
                named: Self.trimmed(content[..<equals]), Self.trimmed(content[content.index(after: equals)...]),
                from: origin)
        }
    }

    private mutating func set(named name: String, _ value: String, from origin: Origin) throws(Fault) {
        if let setting = Setting.all.first(where: { $0.name == name }) {
            try set(setting, value, from: origin)
        } else if let setting = Setting.all.first(where: { $0.isSecret && $0.name + "_FILE" == name }) {
            try set(setting, secretIn: value, from: origin)
        } else {
            throw Fault(description: "\(origin): \(name): no such setting")
        }
    }

    private mutating func set(_ setting: Setting, secretIn path: String, from origin: Origin) throws(Fault) {
        guard readsSecretFiles, let content = try Self.read(path, required: true) else { return }
        try set(setting, Self.trimmed(content[...]), from: origin)
    }

    private mutating func set(_ setting: Setting, _ value: String, from origin: Origin) throws(Fault) {
        switch setting.kind {
        case .text: break
        case .servers:
            guard ServerAddress.list(value) != nil else {
                throw Fault(
                    description:
                        "\(origin): \(setting.name)=\(value): must be servers separated by commas, each host:port")
            }
        case .integer(let range):
            guard let number = Int(value), range.contains(number) else {
                let unit = setting.unit.isEmpty ? "" : " \(setting.unit)"
                throw Fault(
                    description: "\(origin): \(setting.name)=\(value): must be a whole number from "
                        + "\(range.lowerBound) to \(range.upperBound)\(unit)")
            }
        case .toggle:
            guard value == "on" || value == "off" else {
                throw Fault(description: "\(origin): \(setting.name)=\(value): must be on or off")
            }
        }
        values[setting.name] = (value, origin)
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var rest = text[...]
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return String(rest)
    }

    private static func read(_ path: String, required: Bool) throws(Fault) -> String? {
        guard let file = fopen(path, "re") else {
            if !required && errno == ENOENT { return nil }
            throw Fault(description: "\(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        guard ferror(file) == 0 else { throw Fault(description: "\(path): \(String(cString: strerror(errno)))") }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Fault(description: "\(path): not UTF-8")
        }
        return text
    }
}
