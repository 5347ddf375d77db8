import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// The interface as openapi.yaml describes it.
    struct ContractTests {
        /// The same requests each time, and as many: a time limit would leave out routes where the machine is busy.
        @Test(
            "What schemathesis makes of openapi.yaml is answered as it says",
            .enabled(if: PythonPackages.python != nil, "PyPI cannot be reached"))
        func schemathesis() throws {
            let project = try Project.create(on: EndToEnd.stack())
            var environment = ["HOME": NSHomeDirectory(), "LANG": "C.UTF-8"]
            environment["MESHER_URL"] = project.stack["MESHER_URL"]
            environment["MESHER_KEY"] = project.key
            environment["MESHER_PROJECT_ID"] = "\(project.id)"
            let run = try Execution.run([Stack.root + "/development/openapi/run"], environment: environment)
            #expect(run.status == 0, "\(run.output) \(run.errors)")
            #expect(run.output.contains("Tested: 16"))
            // What it takes for good bodies are such.
            #expect(try project.count() > 100)
        }
    }
}
