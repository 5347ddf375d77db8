import Configuration
import Testing

/// docs/configuration.md has what `Setting` declares.
struct SettingsTableTests {
    /// Variables of the private stack and of examples, and nginx's parameters, which are no settings.
    private static let variables: Set = [
        "MESHER_URL", "MESHER_WS_URL", "MESHER_KEY", "MESHER_DSN", "MESHER_PROJECT_ID", "MESHER_PORT",
        "MESHER_OPERATOR_URL", "MESHER_PGDATA", "MESHER_WRKERS", "MESHER_API", "MESHER_FAULT",
        "MESHER_REQUEST_ID", "MESHER_RECEIVED",
    ]

    @Test("The table is that of the declarations; make docs writes it")
    func table() throws {
        let head = "| setting | default | range | what it is | read by |\n|---|---|---|---|---|\n"
        let table = head + Setting.all.map(Self.row).joined()
        #expect(try Document("docs/configuration.md").hasGenerated(table))
    }

    @Test("No document names a setting that does not exist")
    func names() throws {
        let known = Set(Setting.all.flatMap { $0.isSecret ? [$0.name, $0.name + "_FILE"] : [$0.name] })
        for document in try Document.all() {
            let unknown = document.matches(/MESHER_[A-Z_]+[A-Z]/).subtracting(known).subtracting(Self.variables)
            #expect(unknown.isEmpty, "\(document.name)")
        }
    }

    private static func row(_ setting: Setting) -> String {
        let fallback =
            switch setting.kind {
            case .text, .servers: setting.fallback.isEmpty ? "empty" : "`\(setting.fallback)`"
            case .integer, .toggle: setting.fallback
            }
        let readers =
            setting.programs.count == Program.allCases.count
            ? ["all"] : Program.allCases.filter(setting.programs.contains).map { $0 == .mesher ? "`mesher`" : "\($0)" }
        let allowed = if case .servers = setting.kind { "`\(setting.allowed)`" } else { setting.allowed }
        let cells = [
            "`\(setting.name)`" + (setting.isSecret ? " *" : ""), fallback, allowed, setting.meaning,
            readers.joined(separator: ", "),
        ]
        return "| " + cells.joined(separator: " | ") + " |\n"
    }
}
