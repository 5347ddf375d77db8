import Foundation
import TestServers
import Testing

/// docs/backup.md, typed on a machine of its own. It has a whole life in it: two restores, a recovery to a moment, a move.
@Suite(
    .enabled(if: Stack.isBuilt, "make build has made no programs yet"),
    .enabled(if: PrivateMachine.isAllowed, "needs root, and the right to make namespaces"))
struct BackupTests {
    /// A chapter's heading, and its commands.
    private typealias Chapter = (heading: String, examples: [ConsoleExample])

    private static func chapters() throws -> [Chapter] {
        let text = try String(contentsOfFile: Stack.root + "/docs/backup.md", encoding: .utf8)
        let headings = text.components(separatedBy: "\n").enumerated().filter { $0.element.hasPrefix("## ") }
        let blocks = FencedBlock.all(in: text)
        return headings.enumerated().map { position, heading in
            let end = position + 1 < headings.count ? headings[position + 1].offset : .max
            let own = blocks.filter { (heading.offset..<end).contains($0.line) }
            return (String(heading.element.dropFirst(3)), own.flatMap(ConsoleExample.all))
        }.filter { !$0.examples.isEmpty }
    }

    @Test("Each step of the page is answered as it says, and after each chapter every acknowledged event is stored")
    func backup() throws {
        var session = ExampleSession(patience: 400)
        session.define("make --silent --directory '\(Stack.root)' install >/dev/null")
        session.define(InstallationTests.before)
        session.define(". '\(Stack.root)/Tests/Installation/backup'")
        for chapter in try Self.chapters() {
            session.type("before '\(chapter.heading)'")
            for var example in chapter.examples {
                session.type("ahead '\(example.command.prefix { $0 != "'" })'")
                // The moment of the page is long ago.
                example.command.replace("'2026-11-28 12:00:00+00'", with: "'$time'")
                session.type(example)
            }
            let count = "after '\(chapter.heading)'"
            session.type(
                ConsoleExample(
                    prompt: "#", command: count, answer: "\(chapter.heading): nothing is lost", line: 0))
        }
        try PrivateMachine.withFolder { folder in
            let run = try session.run(PrivateMachine.command(folder), folder: folder, environment: [:])
            #expect(run.count > 50)
            for (example, output) in run {
                #expect(example.isAnswered(by: output), "line \(example.line): \(example.command)\nanswers: \(output)")
            }
        }
    }
}
