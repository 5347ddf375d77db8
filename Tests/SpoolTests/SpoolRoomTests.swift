import Glibc
import Spool
import Testing

@Suite struct SpoolRoomTests {
    @Test("it is too small when the limit promises more than there is, and exhausted when nothing fits")
    func judgement() {
        let room = SpoolRoom(bytes: 10 << 20, files: 5)
        #expect(!room.isExhausted && !room.isTooSmall(used: 1 << 20, limit: 11 << 20))
        #expect(room.isTooSmall(used: 0, limit: 11 << 20))
        #expect(!room.isTooSmall(used: 12 << 20, limit: 11 << 20))
        #expect(SpoolRoom(bytes: 10, files: nil).isExhausted)
        let filesGone = SpoolRoom(bytes: 10 << 20, files: 0)
        #expect(filesGone.isExhausted && filesGone.isTooSmall(used: 0, limit: 1))
    }

    @Test("a file system says what it has, and one that is no more says nothing")
    func reading() throws {
        let room = try #require(SpoolRoom(of: "/tmp"))
        #expect(room.bytes > 0)
        #expect(SpoolRoom(of: "/nowhere/at/all") == nil)
    }

    @Test("a probe leaves nothing behind, and says why it cannot be made")
    func probe() throws {
        let folder = "/tmp/mesher-probe.\(UInt32.random(in: .min ... .max))"
        #expect(mkdir(folder, 0o700) == 0)
        try SpoolDirectory.probe(folder)
        #expect(rmdir(folder) == 0)
        #expect(throws: (any Error).self) { try SpoolDirectory.probe(folder) }
    }
}
