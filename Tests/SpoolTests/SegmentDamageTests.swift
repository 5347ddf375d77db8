import Foundation
import StorageChannel
import System
import TestServers
import Testing

@testable import Spool

@Suite struct SegmentDamageTests {
    private let folder: TestFolder
    private let records = (0..<5).map { TestRecord(eventID: UInt128($0), message: "number \($0)") }
    private let name: String
    private let intact: [UInt8]
    /// Where each record, with its header, ends.
    private let ends: [Int]

    init() throws {
        folder = try TestFolder()
        do {
            let spool = try TestSpool(folder)
            try spool.store(records)
        }
        name = try #require(folder.segments.first)
        intact = folder.read(name)
        var end = SegmentFormat.headerSize
        ends = records.map {
            end += SegmentFormat.recordHeaderSize + $0.bytes.count
            return end
        }
    }

    private func drain(_ bytes: [UInt8]) throws -> (records: [[UInt8]], damages: [[UInt8]], torn: Int) {
        folder.write(bytes, to: name)
        let result = try open().drain()
        #expect(folder.segments.isEmpty)
        return result
    }

    /// A process that another test has forked holds the lock of the spool before until it executes its program.
    private func open() throws -> TestSpool {
        var spool: TestSpool?
        _ = eventually {
            spool = try? TestSpool(folder)
            return spool != nil
        }
        return try spool ?? TestSpool(folder)
    }

    @Test("of a file cut at any place, what is whole is delivered and the rest counts as unfinished")
    func cuts() throws {
        for length in 0..<intact.count {
            let whole = ends.prefix { $0 <= length }.count
            let result = try drain(Array(intact[..<length]))
            #expect(result.records == records[..<whole].map(\.bytes), "cut at \(length)")
            #expect(result.damages.isEmpty, "cut at \(length)")
            let start = whole > 0 ? ends[whole - 1] : length < SegmentFormat.headerSize ? 0 : SegmentFormat.headerSize
            #expect(result.torn == length - start, "cut at \(length)")
        }
    }

    @Test("of a file cut at any place and filled up with zeros, nothing is delivered that is not whole")
    func zeroedTails() throws {
        for length in SegmentFormat.headerSize..<intact.count {
            let whole = ends.prefix { $0 <= length }.count
            let result = try drain(intact[..<length] + [UInt8](repeating: 0, count: intact.count - length))
            // A record may end with zeros of its own.
            #expect(result.records.starts(with: records[..<whole].map(\.bytes)), "cut at \(length)")
            #expect(result.records.count <= whole + 1)
            if whole == records.count - 1, result.records.count == whole, length > ends[whole - 1] + 20 {
                #expect(
                    result.damages == [
                        Array(intact[ends[whole - 1]..<length]) + Array(repeating: 0, count: intact.count - length)
                    ])
            }
        }
    }

    @Test(
        "one changed byte costs the record that it is in, whose bytes are set aside, and no other",
        arguments: [0x01, 0x80, 0xff])
    func flips(mask: UInt8) throws {
        for place in intact.indices {
            var bytes = intact
            bytes[place] ^= mask
            let result = try drain(bytes)
            let isHeader = place < SegmentFormat.headerSize
            let hit = ends.firstIndex { place < $0 } ?? 0
            let expected = records.enumerated().filter { isHeader || $0.offset != hit }.map(\.element.bytes)
            #expect(result.records == expected, "changed at \(place)")
            let start = hit > 0 ? ends[hit - 1] : SegmentFormat.headerSize
            #expect(result.damages == (isHeader ? [] : [Array(bytes[start..<ends[hit]])]), "changed at \(place)")
            #expect(result.torn == 0, "changed at \(place)")
        }
    }

    @Test("one whose checksum holds all the same is delivered, so that test could fail")
    func flipsUnnoticed() throws {
        for (number, record) in records.enumerated() {
            for place in record.bytes.indices {
                var contents = records.map(\.bytes)
                contents[number][place] ^= 1
                let result = try drain(sealed(contents))
                #expect(result.records == contents && result.damages.isEmpty, "changed at \(place) of \(number)")
            }
        }
    }

    /// The segment with other contents and their checksums.
    private func sealed(_ contents: [[UInt8]]) -> [UInt8] {
        var bytes = Array(intact[..<SegmentFormat.headerSize])
        let marker: UInt64 = intact.withUnsafeBytes { SegmentFormat.number($0, SegmentFormat.headerSize) }
        for content in contents {
            content.withUnsafeBytes { SegmentFormat.append(record: $0, marker: marker, to: &bytes) }
        }
        return bytes
    }

    @Test("a zeroed stretch costs the records that it touches")
    func zeroedStretch() throws {
        var bytes = intact
        let stretch = ends[0] + 3..<ends[2] - 3
        bytes.replaceSubrange(stretch, with: repeatElement(0, count: stretch.count))
        let result = try drain(bytes)
        #expect(result.records == [records[0], records[3], records[4]].map(\.bytes))
        #expect(result.damages.flatMap { $0 } == Array(bytes[ends[0]..<ends[2]]))
    }

    @Test("what an event holds is never taken for a record of the file")
    func forgery() throws {
        var forged: [UInt8] = []
        TestRecord(project: 99).bytes.withUnsafeBytes {
            SegmentFormat.append(record: $0, marker: 0x1234_5678, to: &forged)
        }
        var text = String(decoding: forged, as: UTF8.self)
        text = "begin" + text + "end"
        do {
            let spool = try TestSpool(folder)
            _ = spool.drain()
            try spool.store([TestRecord(message: text), records[1]])
        }
        let name = try #require(folder.segments.first)
        var bytes = folder.read(name)
        bytes[SegmentFormat.headerSize + 9] ^= 0xff
        folder.write(bytes, to: name)
        let spool = try TestSpool(folder)
        let result = spool.drain()
        #expect(result.records == [records[1].bytes])
        #expect(result.damages.count == 1)
    }

    @Test("a file that holds nothing of a segment is set aside whole")
    func noise() throws {
        let bytes = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
        let result = try drain(bytes)
        #expect(result.records.isEmpty)
        #expect(result.damages.flatMap { $0 } == Array(bytes[SegmentFormat.headerSize...]))
    }
}
