import Foundation
import Glibc
import StorageChannel
import System
import Testing

@testable import Spool

@Suite struct SpoolDirectoryTests {
    private let folder: TestFolder
    private let records = (0..<10).map { TestRecord(project: $0 % 2, eventID: UInt128($0), message: "number \($0)") }

    init() throws {
        folder = try TestFolder()
    }

    private func open(_ limits: SpoolDirectory.Limits = .ample) throws -> TestSpool {
        try TestSpool(folder, limits: limits)
    }

    @Test("what is committed is delivered in its order, and its file goes with the last of it")
    func order() throws {
        let spool = try open()
        try spool.store(Array(records[..<4]))
        try spool.store(Array(records[4...]))
        #expect(folder.segments.count == 1)
        #expect(spool.index.events == 10)
        #expect(spool.index.oldest == records[0].receivedAt)
        let first = try #require(spool.oldest(events: 3))
        #expect(first.content.records.count == 3)
        #expect(spool.oldest(events: 3)?.content.range == first.content.range, "the same until it is delivered")
        #expect(spool.drain().records == records.map(\.bytes))
        #expect(folder.segments.isEmpty)
        #expect(spool.index.events == 0 && spool.size == 0 && spool.index.isEmpty)
    }

    @Test("what comes while an older part is delivered is delivered too")
    func appendingMeanwhile() throws {
        let spool = try open()
        try spool.store([records[0]])
        let piece = try #require(spool.oldest(events: 10))
        try spool.store([records[1]])
        spool.delivered(piece)
        #expect(spool.drain().records == [records[1].bytes])
        try spool.store([records[2]])
        #expect(spool.drain().records == [records[2].bytes])
        #expect(folder.segments.isEmpty)
    }

    @Test("after a restart all that was not delivered is there, counted by project")
    func restart() throws {
        do {
            let spool = try open()
            try spool.store(records)
        }
        let spool = try open()
        spool.count()
        #expect(spool.index.events == 10)
        #expect(spool.index.oldest == records[0].receivedAt)
        #expect(spool.index.bytes(of: 0) == spool.index.bytes(of: 1) && spool.index.bytes(of: 0) > 0)
        #expect(spool.index.bytes(of: 0) * 2 + SegmentFormat.headerSize == spool.size)
        try spool.store([records[0]])
        #expect(folder.segments.count == 2, "nothing is written behind what another process has left")
        #expect(spool.drain().records == (records + [records[0]]).map(\.bytes))
    }

    @Test("a second process does not get it, and gets it when the first has ended")
    func lock() throws {
        do {
            let owner = try open()
            #expect { try open() } throws: { ($0 as? SystemError)?.code == EWOULDBLOCK }
            #expect(owner.size == 0)
        }
        _ = try open()
    }

    @Test("the limit refuses what would not fit, a project's share only what is that project's")
    func limits() throws {
        let size = records[0].bytes.count + SegmentFormat.recordHeaderSize
        let spool = try open(SpoolDirectory.Limits(bytes: 5 * size, projectBytes: 2 * size))
        #expect(spool.add(records[0]) == nil)
        #expect(spool.add(records[2]) == nil)
        #expect(spool.add(records[4]) == .projectShare)
        try spool.commit()
        #expect(spool.add(records[4]) == .projectShare)
        #expect(spool.add(records[1]) == nil)
        #expect(spool.add(records[3]) == nil)
        try spool.commit()
        #expect(spool.add(TestRecord(project: 3)) == .full)
        #expect(spool.percentage >= 80)
        #expect(spool.drain().records.count == 4)
        #expect(spool.add(records[4]) == nil)
    }

    @Test("what is in the quarantine counts against the limits")
    func quarantineCounts() throws {
        let size = records[0].bytes.count + SegmentFormat.recordHeaderSize
        let spool = try open(SpoolDirectory.Limits(bytes: 10 * size, projectBytes: 3 * size))
        let head = try #require(records[0].bytes.withUnsafeBytes { RecordHead($0) })
        try spool.setAside([
            QuarantineItem(event: [UInt8](repeating: 1, count: 2 * size), head, sqlState: "22P02", reason: "r", wall: 1)
        ])
        #expect(spool.add(records[0]) == .projectShare)
        #expect(spool.add(records[1]) == nil)
        #expect {
            try spool.setAside([
                QuarantineItem(event: [UInt8](repeating: 1, count: 9 * size), head, sqlState: nil, reason: "r", wall: 1)
            ])
        } throws: { ($0 as? SystemError)?.code == ENOSPC }
    }

    @Test("a segment that has reached its size is followed by another")
    func rotation() throws {
        let spool = try open()
        let large = TestRecord(message: String(repeating: "x", count: 3 << 20))
        for _ in 0..<22 { try spool.store([large]) }
        try spool.store([records[0]])
        #expect(folder.segments.count == 2)
        let drained = spool.drain().records
        #expect(drained.count == 23 && drained.last == records[0].bytes)
        #expect(folder.segments.isEmpty)
    }

    @Test(
        "a segment of a newer version is said and not touched, stands before no other, and is read after the next upgrade"
    )
    func otherVersion() throws {
        do {
            let spool = try open()
            try spool.store([records[0]])
        }
        let name = try #require(folder.segments.first)
        let known = folder.read(name)
        var bytes = known
        bytes[11] = 2
        let checksum = bytes[..<28].withUnsafeBytes { SegmentFormat.checksum($0) }
        withUnsafeBytes(of: checksum.bigEndian) { bytes.replaceSubrange(28..<32, with: $0) }
        folder.write(bytes, to: name)
        do {
            let spool = try open()
            try spool.store([records[1]])
            #expect(spool.drain().records == [records[1].bytes])
            #expect(folder.read(name) == bytes)
            #expect(spool.takeFindings().contains { $0.contains("format 2") })
            #expect(spool.size == bytes.count, "it takes its place all the same")
        }
        // To the release that knows the version it is a file as any other.
        folder.write(known, to: name)
        #expect(try open().drain().records == [records[0].bytes] && folder.segments.isEmpty)
    }

    @Test("a segment that somebody deleted is reported and stands in nobody's way")
    func deleted() throws {
        let spool = try open()
        try spool.store([records[0]])
        let name = try #require(folder.segments.first)
        unlink("\(folder.spool)/\(name)")
        try spool.store([records[1]])
        #expect(spool.drain().records == [records[1].bytes])
        #expect(spool.takeFindings().count == 1)
        try spool.store([records[2]])
        for name in folder.segments { unlink("\(folder.spool)/\(name)") }
        #expect(spool.drain().records.isEmpty)
        #expect(spool.takeFindings().count == 1)
        try spool.store([records[3]])
        #expect(spool.drain().records == [records[3].bytes])
    }

    @Test("of a segment that somebody cut what is left is delivered, and the rest is reported")
    func cut() throws {
        let spool = try open()
        try spool.store([records[0]])
        let name = try #require(folder.segments.first)
        let whole = folder.read(name).count
        try spool.store([records[1]])
        truncate("\(folder.spool)/\(name)", off_t(whole + 5))
        #expect(spool.drain().records == [records[0].bytes])
        #expect(spool.takeFindings().contains { $0.contains("cut off") && !$0.contains("unfinished") })
        #expect(folder.segments.isEmpty && spool.size == 0)
        try spool.store([records[2]])
        truncate("\(folder.spool)/\(try #require(folder.segments.first))", 0)
        try spool.store([records[3]])
        #expect(spool.drain().records == [records[3].bytes])
        try spool.store([records[4]])
        for name in folder.segments { truncate("\(folder.spool)/\(name)", 0) }
        #expect(spool.drain().records.isEmpty)
        #expect(folder.segments.isEmpty && spool.size == 0)
    }

    @Test("a full disk refuses, leaves what was there readable, and is used again when there is room")
    func fullDisk() throws {
        try #require(mount("tmpfs", folder.path, "tmpfs", 0, "size=256k") == 0 || geteuid() != 0)
        guard geteuid() == 0 else { return }
        defer { umount2(folder.path, CInt(MNT_DETACH)) }
        let spool = try open()
        try spool.store([records[0]])
        let large = TestRecord(message: String(repeating: "x", count: 300 << 10))
        #expect { try spool.store([large]) } throws: { ($0 as? SystemError)?.code == ENOSPC }
        try spool.store([records[1]])
        let ballast = Glibc.open(folder.spool + "/ballast", O_WRONLY | O_CREAT, 0o600)
        while write(ballast, [UInt8](repeating: 0, count: 4096), 4096) > 0 {}
        close(ballast)
        #expect { try spool.store([TestRecord(message: String(repeating: "x", count: 60 << 10))]) } throws: {
            ($0 as? SystemError)?.code == ENOSPC
        }
        unlink(folder.spool + "/ballast")
        try spool.store([records[2]])
        let drained = spool.drain()
        #expect(drained.records == records[..<3].map(\.bytes))
        #expect(drained.damages.isEmpty && drained.torn == 0)
    }
}
