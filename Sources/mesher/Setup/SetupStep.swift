/// One thing that `mesher setup` does.
enum SetupStep: Equatable {
    /// A role that may connect.
    case role(String, password: String, exists: Bool)
    /// The role that has storage's rights.
    case runtimeRole
    case membership
    case database(String)
    /// A file that is written whole.
    case file(String, text: String, mode: UInt32, group: String)
    /// A part of nginx' configuration, which goes away again if nginx does not take it.
    case nginx(String, text: String)
    case migrate
    case command([String])
    case project(String)
    case event

    /// The roles' names, which the documents and `mesher check` use.
    static let owner = "mesher_owner"
    static let storage = "mesher_storage"
    static let runtime = "mesher_runtime"

    /// What is shown before it is done. No password is.
    var lines: [String] {
        switch self {
        case .role(let name, _, let exists):
            ["PostgreSQL: \(exists ? "ALTER" : "CREATE") ROLE \(name) LOGIN PASSWORD '…'"]
        case .runtimeRole, .membership, .database: statement.map { ["PostgreSQL: \($0)"] } ?? []
        case .file(let path, let text, let mode, let group):
            ["write \(path) (\(String(mode, radix: 8)) root:\(group))"]
                + (Self.isSecret(path) ? [] : text.split(separator: "\n").map { "    \($0)" })
        case .nginx(let path, let text):
            ["write \(path), then nginx -t"] + text.split(separator: "\n").map { "    \($0)" }
        case .migrate: ["migrate the schema (mesher db migrate), and try storage's role"]
        case .command(let words): [words.joined(separator: " ")]
        case .project(let name): ["create the project \"\(name)\", unless it is there"]
        case .event: ["send a first event through nginx"]
        }
    }

    /// The statement that a superuser runs; nil for everything else. Names are quoted, and a password is hexadecimal or quoted.
    var statement: String? {
        switch self {
        case .role(let name, let password, let exists):
            "\(exists ? "ALTER" : "CREATE") ROLE \(Self.quoted(name)) LOGIN PASSWORD \(Self.literal(password))"
        case .runtimeRole: "CREATE ROLE \(Self.runtime) NOLOGIN"
        case .membership: "GRANT \(Self.runtime) TO \(Self.storage)"
        case .database(let name):
            "CREATE DATABASE \(Self.quoted(name)) OWNER \(Self.owner) ENCODING 'UTF8' TEMPLATE template0"
        default: nil
        }
    }

    private static func isSecret(_ path: String) -> Bool { path.hasSuffix("-url") || path.hasSuffix("-password") }

    private static func quoted(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7a) || $0 == 0x5f }
        return isPlain ? name : "\"" + doubled("\"", in: name) + "\""
    }

    private static func literal(_ text: String) -> String {
        (text.contains("\\") ? "E" : "") + "'" + doubled("'", in: doubled("\\", in: text)) + "'"
    }

    private static func doubled(_ mark: Character, in text: String) -> String {
        String(text.flatMap { $0 == mark ? [mark, mark] : [$0] })
    }
}
