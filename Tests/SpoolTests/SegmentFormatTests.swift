import CChecksum
import Testing

@testable import Spool

@Suite struct SegmentFormatTests {
    @Test("the checksum is CRC32C, by instruction and by table")
    func checksum() {
        // RFC 3720, appendix B.4.
        let cases: [([UInt8], UInt32)] = [
            ([UInt8](repeating: 0, count: 32), 0x8a91_36aa), ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
            (Array(0..<32), 0x46dd_794e), (Array("123456789".utf8), 0xe306_9283), ([], 0),
        ]
        for (bytes, expected) in cases {
            #expect(mesher_crc32c(0, bytes, bytes.count) == expected)
            #expect(mesher_crc32c_by_table(0, bytes, bytes.count) == expected)
        }
    }

    @Test("a header tells its marker, another version by its number, and a change of any byte")
    func header() {
        let header = SegmentFormat.header(marker: 77, wall: 5)
        #expect(header.count == SegmentFormat.headerSize)
        #expect(header.withUnsafeBytes { SegmentFormat.readHeader($0) } == .valid(marker: 77))
        for place in header.indices {
            var changed = header
            changed[place] ^= 0x10
            #expect(changed.withUnsafeBytes { SegmentFormat.readHeader($0) } == .damaged)
            #expect(header[..<place].withUnsafeBytes { SegmentFormat.readHeader($0) } == .damaged)
        }
    }

    @Test("names order as numbers do, and other names are none")
    func names() {
        #expect(SegmentFile.name(12) == "0000000000000012.segment")
        #expect(SegmentFile.number(of: SegmentFile.name(.max)) == .max)
        for name in ["12.segment", "lock", "0000000000000012.segment.new", "+000000000000012.segment"] {
            #expect(SegmentFile.number(of: name) == nil)
        }
    }
}
