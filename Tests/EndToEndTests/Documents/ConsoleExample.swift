import Foundation

/// A command of a document with the answer that the document says it gives.
struct ConsoleExample: Equatable {
    /// Who types it: `$` a user beside the private stack, `#` root on a machine where Mesher is installed.
    let prompt: Character
    var command: String
    /// Standard output and standard error as they stand below the command.
    let answer: String
    /// The number of the command's line in its document.
    let line: Int

    /// The commands of a block, each with the lines up to the next one.
    static func all(in block: FencedBlock) -> [ConsoleExample] {
        guard block.language == "console" else { return [] }
        var examples: [(prompt: Character, command: String, answer: [String], line: Int)] = []
        for (index, line) in block.text.components(separatedBy: "\n").enumerated() {
            if let prompt = line.first, line.dropFirst().first == " ", "$#".contains(prompt) {
                examples.append((prompt, String(line.dropFirst(2)), [], block.line + index))
            } else if let last = examples.indices.last {
                examples[last].answer.append(line)
            }
        }
        return examples.map {
            ConsoleExample(
                prompt: $0.prompt, command: $0.command, answer: $0.answer.joined(separator: "\n"), line: $0.line)
        }
    }

    /// Whether an answer is the one of the document.
    func isAnswered(by output: String) -> Bool {
        Self.pattern(of: answer, numbersVary: numbersVary) == Self.pattern(of: output, numbersVary: numbersVary)
    }

    /// These tell how much there is at the moment; the numbers of all others have to be those of the document.
    private var numbersVary: Bool {
        ["mesher status", "mesher check", "mesher poison list", "mesher db migrate"].contains { command.hasPrefix($0) }
    }

    /// A text with a word in the place of each id and each time, and, when those vary too, of each number.
    static func pattern(of text: String, numbersVary: Bool = false) -> String {
        // No terminal shows a carriage return before a newline.
        var pattern = text.replacingOccurrences(of: "\r\n", with: "\n").trimmingCharacters(in: .newlines)
            .replacing(/\b[0-9a-fA-F]{32}\b/, with: "ID")
            .replacing(/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?/, with: "TIME")
        if numbersVary { pattern.replace(/\b\d[\w.+~-]*/, with: "NUMBER") }
        // A kernel may have none.
        pattern.replace(#/Landlock \(version \w+\), /#, with: "")
        // Columns are as wide as what stands in them.
        return pattern.replacing(/[ \t]+/, with: " ")
    }
}
