import Glibc
import System
import Testing

@testable import mesher_watchdog

struct ErrorOutputTests {
    /// Both pipes around one output: what the child writes into, and what comes out.
    private final class Surroundings {
        let output: ErrorOutput
        let lines = RecentLines()
        let child: CInt
        let target: CInt
        private let result: CInt

        init() throws {
            let said = try Pipe.open()
            let passed = try Pipe.open()
            child = fcntl(said.writing.number, F_DUPFD_CLOEXEC, 0)
            target = fcntl(passed.writing.number, F_DUPFD_CLOEXEC, 0)
            result = fcntl(passed.reading.number, F_DUPFD_CLOEXEC, 0)
            let reading = fcntl(said.reading.number, F_DUPFD_CLOEXEC, 0)
            output = ErrorOutput(serial: 1, reading: Descriptor(adopting: reading), lines: lines)
        }

        deinit {
            for number in [child, target, result] { close(number) }
        }

        func say(_ text: String) {
            #expect(write(child, text, text.utf8.count) == text.utf8.count)
        }

        func endChild() {
            close(child)
        }

        func fillTarget() {
            _ = fcntl(target, F_SETFL, O_NONBLOCK)
            let byte: UInt8 = 0x2e
            let chunk = [UInt8](repeating: byte, count: 4096)
            while write(target, chunk, chunk.count) > 0 {}
        }

        func passedOn() -> String {
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            var text = ""
            while case let count = read(result, &bytes, bytes.count), count > 0 {
                text += String(decoding: bytes[..<count], as: UTF8.self)
            }
            return text
        }
    }

    @Test("Each line is remembered once, though it has to wait for room")
    func remembersLines() throws {
        let pipes = try Surroundings()
        pipes.fillTarget()
        pipes.say("<4>p[1]: warning: first\n")
        #expect(pipes.output.forward(to: pipes.target) == .blocked)
        pipes.say("2026-11-28T08:51:53.123Z p[1]: warning: second\np[1]: war")
        #expect(pipes.output.forward(to: pipes.target) == .blocked)
        _ = pipes.passedOn()
        pipes.say("ning: third\n")
        #expect(pipes.output.forward(to: pipes.target) == .waiting)
        #expect(pipes.lines.all.map(\.text) == ["first", "second", "third"])
        #expect(pipes.lines.all.allSatisfy { $0.count == 1 })
    }

    @Test("Whole lines are passed on as they are, and the beginning of another waits for its end")
    func passesOnLines() throws {
        let pipes = try Surroundings()
        pipes.say("<4>first\nsecond\nthi")
        #expect(pipes.output.forward(to: pipes.target) == .waiting)
        #expect(pipes.passedOn() == "<4>first\nsecond\n")
        pipes.say("rd\n")
        #expect(pipes.output.forward(to: pipes.target) == .waiting)
        #expect(pipes.passedOn() == "third\n")
    }

    @Test("The last words are the last line that was not empty, without its priority, also one without an end")
    func lastLine() throws {
        let pipes = try Surroundings()
        #expect(pipes.output.lastLine == "")
        pipes.say("<6>one\n<3>two\n\n")
        _ = pipes.output.forward(to: pipes.target)
        #expect(pipes.output.lastLine == "two")
        pipes.say("three")
        _ = pipes.output.forward(to: pipes.target)
        #expect(pipes.output.lastLine == "two")
        pipes.endChild()
        #expect(pipes.output.forward(to: pipes.target) == .ended)
        #expect(pipes.output.lastLine == "three")
        #expect(pipes.passedOn().hasSuffix("three\n"))
    }

    @Test("The last words are without what says when, or how bad")
    func bareWords() throws {
        let pipes = try Surroundings()
        for prefix in ["<3>", "2026-11-28T08:51:53.123Z ", ""] {
            pipes.say("\(prefix)mesher-worker[1]: error: words\n")
            _ = pipes.output.forward(to: pipes.target)
            #expect(pipes.output.lastLine == "mesher-worker[1]: error: words")
        }
    }

    @Test("A fatal error is the last word, though a stack follows it")
    func fatalError() throws {
        let pipes = try Surroundings()
        pipes.say("one\nSwift/Array.swift:1: Fatal error: Index out of range\nCurrent stack trace:\n0  libc\n")
        _ = pipes.output.forward(to: pipes.target)
        pipes.say("1  main\n")
        _ = pipes.output.forward(to: pipes.target)
        #expect(pipes.output.lastLine == "Swift/Array.swift:1: Fatal error: Index out of range")
    }

    @Test("While nobody takes what is passed on nothing waits and nothing is lost, and the last words are known")
    func blocked() throws {
        let pipes = try Surroundings()
        pipes.fillTarget()
        pipes.say("one\ntwo\n")
        #expect(pipes.output.forward(to: pipes.target) == .blocked)
        #expect(pipes.output.lastLine == "two")
        _ = pipes.passedOn()
        pipes.say("three\n")
        #expect(pipes.output.forward(to: pipes.target) == .waiting)
        #expect(pipes.passedOn() == "one\ntwo\nthree\n")
    }

    @Test("No more is kept here than the limit; the rest stays in the pipe")
    func bounded() throws {
        let pipes = try Surroundings()
        pipes.fillTarget()
        _ = fcntl(pipes.child, F_SETFL, O_NONBLOCK)
        var lines = 0
        // As much as the pipe and the limit hold, and not a line more, however often it is read.
        for _ in 0..<10 {
            while write(pipes.child, "0123456789abcde\n", 16) == 16 { lines += 1 }
            #expect(pipes.output.forward(to: pipes.target) == .blocked)
        }
        #expect(lines * 16 >= ErrorOutput.limit && lines * 16 <= ErrorOutput.limit + 2 * 65_536)
        _ = pipes.passedOn()
        var passedOn = ""
        repeat {
            _ = pipes.output.forward(to: pipes.target)
            passedOn = pipes.passedOn()
            lines -= passedOn.utf8.count / 16
        } while !passedOn.isEmpty
        #expect(lines == 0)
    }

    @Test("A line without an end is cut, not kept for ever")
    func longLine() throws {
        let pipes = try Surroundings()
        pipes.say(String(repeating: "x", count: 10_000))
        #expect(pipes.output.forward(to: pipes.target) == .waiting)
        #expect(pipes.passedOn().utf8.count >= 8_192)
    }
}
