import Foundation
import TestServers

/// Packages of PyPI in a folder of their own below .build, installed once.
enum PythonPackages {
    /// The interpreter that has them; nil when PyPI cannot be reached.
    static let python: String? = {
        let environment = ["HOME": NSHomeDirectory()]
        let run = try? Execution.run([Stack.root + "/development/install-python-packages"], environment: environment)
        guard let run, run.status == 0 else {
            print("Programs of PyPI are not tested: \(run?.errors ?? "")")
            return nil
        }
        return Stack.root + "/.build/python-packages/bin/python"
    }()
}
