import Foundation
import TestServers

extension Execution {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a program, found in PATH, and waits for it.
    static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Execution {
        try run("/usr/bin/env", arguments, environment: environment)
    }

    /// Runs a program that has to succeed, found in PATH, and returns what it wrote without the last line's end.
    @discardableResult
    static func output(_ arguments: [String], environment: [String: String] = [:]) throws -> String {
        let execution = try run(arguments, environment: environment)
        guard execution.status == 0 else {
            throw Failure(description: "\(arguments.joined(separator: " ")): \(execution.status) \(execution.errors)")
        }
        return execution.output.last == "\n" ? String(execution.output.dropLast()) : execution.output
    }

    /// The bytes that are the value of a Python expression; `gzip` and `zlib` are imported.
    static func bytes(ofPython expression: String) throws -> [UInt8] {
        let digits = Array(try output(["python3", "-c", "import gzip, zlib; print((\(expression)).hex())"]))
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }
}
