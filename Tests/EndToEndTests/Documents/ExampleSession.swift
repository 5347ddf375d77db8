import Foundation
import TestServers

/// A shell in which the commands of a document are typed one after the other.
struct ExampleSession {
    /// What is typed, and what the document needs that it does not say.
    private var script = "exec 2>&1 </dev/null\n"
    private var examples: [ConsoleExample] = []
    /// Seconds that all of it may take.
    private let patience: Int

    init(patience: Int = 120) {
        self.patience = patience
    }

    /// Begins a line that no command writes.
    private static let mark = "\u{1e}"

    /// Types something of which the answer does not matter.
    mutating func type(_ text: String) {
        script += "{ \(text)\n} >/dev/null\n"
    }

    /// Types something that names what is typed later on, such as a function.
    mutating func define(_ text: String) {
        script += text + "\n"
    }

    mutating func type(_ example: ConsoleExample) {
        script += "printf '\\n\(Self.mark)'\n{ \(example.command)\n}\n"
        examples.append(example)
    }

    /// Runs it all.
    ///
    /// - Parameter shell: what reads the script from a file that is named behind it.
    /// - Returns: each example with what it was answered.
    func run(
        _ shell: [String] = ["bash"], folder: String, environment: [String: String]
    ) throws -> [(example: ConsoleExample, output: String)] {
        let path = folder + "/typed"
        try Data(("cd '\(folder)'\n" + script).utf8).write(to: URL(fileURLWithPath: path))
        let execution = try Execution.run(["timeout", "\(patience)"] + shell + [path], environment: environment)
        var outputs = execution.output.components(separatedBy: "\n" + Self.mark)
        let first = outputs.removeFirst()
        guard outputs.count == examples.count else {
            throw Execution.Failure(
                description: "\(outputs.count) of \(examples.count) examples: \(execution.status) \(first) \(outputs)")
        }
        return Array(zip(examples, outputs))
    }
}
