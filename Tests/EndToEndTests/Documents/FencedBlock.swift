import Foundation

/// A block between two fences of a Markdown document.
struct FencedBlock: Equatable {
    /// What stands behind the opening fence; empty for a block that is only to be read.
    let language: String
    /// The number of its first line in the document, from 1.
    let line: Int
    let text: String

    /// The blocks of a document in their order.
    static func all(in document: String) -> [FencedBlock] {
        var blocks: [FencedBlock] = []
        var open: (language: String, line: Int, lines: [String])?
        for (index, line) in document.components(separatedBy: "\n").enumerated() {
            if line.hasPrefix("```") {
                if let block = open {
                    blocks.append(
                        FencedBlock(
                            language: block.language, line: block.line, text: block.lines.joined(separator: "\n")))
                    open = nil
                } else {
                    open = (line.dropFirst(3).trimmingCharacters(in: .whitespaces), index + 2, [])
                }
            } else {
                open?.lines.append(line)
            }
        }
        return blocks
    }
}
