internal import ArgumentParser
internal import Configuration

/// `mesher config`: every setting, its value and where that came from.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Print every setting, its value and where it came from.",
        discussion: "Secrets are masked.")

    @Flag(help: "Also print what each setting is for.") var explain = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: CommonOptions

    func run() throws {
        let settings = try options.settings()
        if output.isJSON {
            let values = Setting.all.map { setting in
                JSON.object([
                    "name": .string(setting.name), "value": .string(settings.shown(setting)),
                    "unit": .string(setting.unit), "default": .string(setting.fallback),
                    "origin": .string(settings.origin(setting).description), "meaning": .string(setting.meaning),
                    "allowed": .string(setting.allowed), "secret": .boolean(setting.isSecret),
                    "programs": .array(
                        Program.allCases.filter(setting.programs.contains).map { .string($0.rawValue) }),
                ])
            }
            return print(JSON.array(values))
        }
        var table = TextTable(
            explain
                ? ["SETTING": .left, "VALUE": .left, "UNIT": .left, "ORIGIN": .left, "MEANING": .left]
                : ["SETTING": .left, "VALUE": .left, "UNIT": .left, "ORIGIN": .left])
        for setting in Setting.all {
            table.append([
                setting.name, settings.shown(setting), setting.unit, settings.origin(setting).description,
                setting.meaning,
            ])
        }
        print(table)
    }
}
