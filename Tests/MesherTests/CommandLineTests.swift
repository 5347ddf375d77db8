import TestServers
import Testing

struct CommandLineTests {
    @Test("--version prints the program's name and version")
    func version() throws {
        let run = try Execution.run(Execution.program("mesher"), ["--version"])
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("mesher "))
    }
}
