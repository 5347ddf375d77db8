import Testing

@testable import mesher_watchdog

struct RunFilesTests {
    @Test("A file is gone when three looks in a row have missed it; it is said once")
    func gone() {
        var files = RunFiles()
        func look(_ there: String...) -> [String] { files.look(at: ["a", "b"]) { there.contains($0) } }
        #expect(look("a", "b") == [])
        #expect(look("b") == [] && look("b") == [])
        #expect(look("b") == ["a"])
        #expect(look("b") == [])
        #expect(look("a", "b") == [] && look() == [] && look() == [] && look() == ["a", "b"])
    }

    @Test("One that was away for a moment is not missed, one that was removed before the first look is")
    func absent() {
        var files = RunFiles()
        #expect((0..<10).count { _ in files.look(at: ["b"]) { _ in false } == ["b"] } == 1)
        #expect((0..<10).allSatisfy { turn in files.look(at: ["a"]) { _ in turn % 3 == 0 }.isEmpty })
    }
}
