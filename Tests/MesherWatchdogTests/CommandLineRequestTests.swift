import Testing

@testable import mesher_watchdog

struct CommandLineRequestTests {
    @Test("Without arguments it runs with the usual file")
    func runsByDefault() throws {
        #expect(try CommandLineRequest([]) == .run(file: nil, settings: []))
    }

    @Test("A file and settings are taken in any order", arguments: [["--config", "/a"], ["--config=/a"]])
    func takesFileAndSettings(file: [String]) throws {
        let request = try CommandLineRequest(["MESHER_WORKERS=1"] + file + ["MESHER_HOSTS=2"])
        #expect(request == .run(file: "/a", settings: ["MESHER_WORKERS=1", "MESHER_HOSTS=2"]))
    }

    @Test("Version and help are answered, whatever else is there")
    func answersQuestions() throws {
        #expect(try CommandLineRequest(["MESHER_WORKERS=1", "--version"]) == .version)
        #expect(try CommandLineRequest(["-h"]) == .help)
        #expect(try CommandLineRequest(["--help"]) == .help)
    }

    @Test("Anything else is refused", arguments: [["--verbose"], ["run"], ["--config"], ["-x=1"]])
    func refusesTheRest(arguments: [String]) {
        #expect(throws: CommandLineRequest.Fault.self) { try CommandLineRequest(arguments) }
    }
}
