import Foundation

/// A program that was run to its end.
struct Execution {
    let status: Int32
    let output: String
    let errors: String

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a program and collects what it writes.
    ///
    /// - Parameter environment: all that it gets; nil means that of the tests.
    static func run(_ arguments: [String], environment: [String: String]? = nil) throws -> Execution {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        if let environment { process.environment = environment }
        let output = Pipe()
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // In a file's worth of output neither pipe fills up while the other is read: what the tests run says little.
        let outputData = output.fileHandleForReading.readDataToEndOfFile()
        let errorData = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Execution(
            status: process.terminationStatus, output: String(decoding: outputData, as: UTF8.self),
            errors: String(decoding: errorData, as: UTF8.self))
    }

    /// Runs a program that has to succeed, and returns what it wrote without the last line's end.
    @discardableResult
    static func output(_ arguments: [String], environment: [String: String]? = nil) throws -> String {
        let execution = try run(arguments, environment: environment)
        guard execution.status == 0 else {
            throw Failure(description: "\(arguments.joined(separator: " ")): \(execution.status) \(execution.errors)")
        }
        return execution.output.last == "\n" ? String(execution.output.dropLast()) : execution.output
    }
}

/// Waits until a condition holds, and returns whether it did within the time.
func eventually(within seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while Date() < deadline {
        if try condition() { return true }
        usleep(10_000)
    }
    return try condition()
}
