internal import ArgumentParser
internal import Configuration
internal import System

/// `mesher check`: what is wrong, and what to do about it.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check configuration, PostgreSQL, Redis, the service and nginx, and say what to do about each fault.",
        discussion: "Exit status: 0 all is well, 78 the configuration is invalid, 69 something else is wrong.")

    @Flag(name: .customLong("configuration"), help: "Check only the configuration.") var isConfigurationOnly = false
    @OptionGroup var authorities: AuthorityOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var options: CommonOptions

    func run() throws {
        let settings: Settings
        do throws(Settings.Fault) {
            settings = try Settings(file: options.configurationFile)
        } catch {
            let advice = "correct or remove it; then mesher config --explain lists all settings"
            show([.fault("configuration", error.description, advice: advice)])
            throw ExitCode(ExitStatus.configuration.rawValue)
        }
        let configuration = Self.configuration(settings)
        var others: [Finding] = []
        if !isConfigurationOnly {
            others += DatabaseCheck(settings).findings()
            others += RedisCheck(settings).findings()
            others +=
                ConfigurationRecord.read(in: settings.text(.runDirectory)).map {
                    Self.stale($0.changed(in: settings, file: options.configurationFile))
                } ?? []
            let service = ServiceCheck(settings).findings()
            others += service
            if service.count > 1 { others += StreamCheck(settings).findings() + ConfinementCheck(settings).findings() }
            others += SpoolCheck(settings).findings()
            others += HTTPCheck(settings, authorities: authorities.path).findings()
        }
        show(configuration + others)
        if configuration.contains(where: \.isFault) { throw ExitCode(ExitStatus.configuration.rawValue) }
        if others.contains(where: \.isFault) { throw ExitCode(ExitStatus.unavailable.rawValue) }
    }

    private func show(_ findings: [Finding]) {
        if output.isJSON { return print(JSON.array(findings.map(\.json))) }
        let width = findings.map(\.subject.count).max() ?? 0
        for finding in findings { print(finding.lines(subjectWidth: width)) }
    }

    /// What the running service has not read yet.
    private static func stale(_ changed: [Setting]) -> [Finding] {
        guard !changed.isEmpty else { return [] }
        let needsRestart: Set = [Setting.runDirectory.name, Setting.streamAddress.name]
        return [
            .fault(
                "service", "changed since the service read it: \(changed.map(\.name).joined(separator: ", "))",
                advice: changed.allSatisfy { needsRestart.contains($0.name) } ? "restart the service" : "mesher reload")
        ]
    }

    /// What no range of a single setting can say.
    private static func configuration(_ settings: Settings) -> [Finding] {
        let subject = "configuration"
        var findings: [Finding] = []
        do throws(CommandError) {
            _ = try DSN(publicURL: settings.text(.publicURL), key: "", project: 1)
        } catch {
            let advice =
                "set MESHER_PUBLIC_URL (now from: \(settings.origin(.publicURL))) to the URL at which clients reach nginx"
            findings.append(.fault(subject, error.description, advice: advice))
        }
        let longest = ServiceCheck.path("storage.sock", settings)
        if longest.utf8.count > UnixSocket.pathLimit {
            let text = "\(longest): longer than the \(UnixSocket.pathLimit) bytes allowed for a unix socket's path"
            findings.append(.fault(subject, text, advice: "choose a shorter MESHER_RUN_DIR"))
        }
        return findings.isEmpty ? [.good(subject, "sound")] : findings
    }
}
