import Testing

@testable import mesher_watchdog

struct RunFilesTests {
    @Test("A file is gone when it was there, and three looks in a row have missed it; it is said once")
    func gone() {
        var files = RunFiles()
        func look(_ there: String...) -> [String] { files.look(at: ["a", "b"]) { there.contains($0) } }
        #expect(look("a", "b") == [])
        #expect(look("b") == [] && look("b") == [])
        #expect(look("b") == ["a"])
        #expect(look("b") == [])
        #expect(look("a", "b") == [] && look() == [] && look() == [] && look() == ["a", "b"])
    }

    @Test("One that never was there is not missed, nor one that was away for a moment")
    func absent() {
        var files = RunFiles()
        #expect((0..<10).allSatisfy { _ in files.look(at: ["a"]) { _ in false }.isEmpty })
        #expect((0..<10).allSatisfy { turn in files.look(at: ["a"]) { _ in turn % 3 == 0 }.isEmpty })
    }
}
