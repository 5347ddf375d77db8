import Foundation
import TestServers

extension Execution {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a program that has to succeed, found in PATH, and returns what it wrote without the last line's end.
    @discardableResult
    static func output(_ arguments: [String], environment: [String: String] = [:]) throws -> String {
        let execution = try run("/usr/bin/env", arguments, environment: environment)
        guard execution.status == 0 else {
            throw Failure(description: "\(arguments.joined(separator: " ")): \(execution.status) \(execution.errors)")
        }
        return execution.output.last == "\n" ? String(execution.output.dropLast()) : execution.output
    }
}
