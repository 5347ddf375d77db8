import Configuration
import Foundation
import TestServers
import Testing

/// The manual pages and completions that development/manuals writes.
struct ManualsTests {
    /// Writes them into a folder of their own, which is gone afterwards.
    private func withManuals<Result>(_ body: (_ folder: String, _ pages: [String]) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.path + "/mesher-manuals-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let programs = Execution.program("")
        let written = try Execution.run(Document.root + "/development/manuals", [programs, folder])
        try #require(written.status == 0, "\(written.errors)")
        let pages = try ["man1", "man5", "man8"].flatMap { section in
            try FileManager.default.contentsOfDirectory(atPath: folder + "/" + section).sorted()
                .map { folder + "/" + section + "/" + $0 }
        }
        return try body(folder, pages)
    }

    private func run(_ command: String...) throws -> Execution {
        try Execution.run("/usr/bin/" + command[0], Array(command[1...]), environment: ["LC_ALL": "C.UTF-8"])
    }

    @Test("mandoc and man find nothing to complain about")
    func lint() throws {
        try withManuals { _, pages in
            let lint = try Execution.run("/usr/bin/mandoc", ["-Tlint", "-W", "warning"] + pages)
            #expect(lint.status == 0, "\(lint.output)\(lint.errors)")
            let man = try Execution.run(
                "/usr/bin/man", ["--warnings", "--encoding=UTF-8", "--local-file", "--troff-device=utf8"] + pages,
                environment: ["LC_ALL": "C.UTF-8", "MANPAGER": "cat"])
            #expect(man.status == 0 && man.errors.isEmpty, "\(man.errors)")
        }
    }

    @Test("Each command has its help, each setting its line, and the watchdog what its help says")
    func content() throws {
        try withManuals { folder, pages in
            let mesher = Execution.program("mesher")
            let text = try pages.reduce(into: [String: String]()) {
                let name = $1.split(separator: "/").last.map(String.init) ?? ""
                $0[name] = try run("mandoc", "-Tutf8", "-Owidth=200", $1).output.replacing(/.\u{8}/, with: "")
            }
            #expect(text.keys.filter { $0.hasSuffix(".1") }.count > 15)
            let settings = try #require(text["mesher.conf.5"])
            for setting in Setting.all { #expect(settings.contains(setting.name), "\(setting.name)") }
            let watchdog = try #require(text["mesher-watchdog.8"])
            #expect(watchdog.contains("[--config FILE] [NAME=value ...]") && watchdog.contains("SIGTTIN"))
            let help = try Execution.run(mesher, ["project", "create", "--help"]).output
            let project = try #require(text["mesher-project.1"])
            for option in help.matches(of: /--[a-z]+/).map(\.output) where !["--help", "--version"].contains(option) {
                #expect(project.contains(option), "\(option)")
            }
            let main = try #require(text["mesher.1"])
            for page in text.keys where page.hasSuffix(".1") && page != "mesher.1" {
                #expect(main.contains(page.dropLast(2) + "(1)"), "\(page)")
            }
            #expect(main.contains(/75 +Try again later\./))
        }
    }

    @Test("The shells take the completions, and offer the commands")
    func completions() throws {
        try withManuals { folder, _ in
            let words = """
                source \(folder)/completions/mesher
                COMP_WORDS=(mesher pro) COMP_CWORD=1 COMP_LINE='mesher pro' COMP_POINT=10
                _mesher mesher pro mesher
                echo "${COMPREPLY[@]}"
                """
            #expect(try run("bash", "-c", words).output.contains("project"))
            let zsh = try run("zsh", "-n", folder + "/completions/_mesher")
            #expect(zsh.status == 0, "\(zsh.errors)")
            let fish = try Execution.run(
                "/usr/bin/fish",
                ["-c", "source \(folder)/completions/mesher.fish; complete --do-complete 'mesher pro'"],
                environment: ["HOME": folder, "LC_ALL": "C.UTF-8"])
            #expect(fish.output.contains("project"), "\(fish.errors)")
        }
    }
}
