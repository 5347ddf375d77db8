import Foundation
import TestServers

extension Execution {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a program that has to succeed, found by PATH, and returns what it wrote without the last line's end.
    ///
    /// - Parameter environment: all that it gets; nil means that of the tests.
    @discardableResult
    static func output(_ arguments: [String], environment: [String: String]? = nil) throws -> String {
        let environment = environment ?? ProcessInfo.processInfo.environment
        let execution = try run("/usr/bin/env", arguments, environment: environment)
        guard execution.status == 0 else {
            throw Failure(description: "\(arguments.joined(separator: " ")): \(execution.status) \(execution.errors)")
        }
        return execution.output.last == "\n" ? String(execution.output.dropLast()) : execution.output
    }
}
