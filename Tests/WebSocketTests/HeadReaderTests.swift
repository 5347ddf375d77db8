import Testing

@testable import WebSocket

@Suite struct HeadReaderTests {
    /// What the reader says of bytes that come `step` at a time, its head, and what it leaves.
    static func read(_ bytes: [UInt8], step: Int) -> (HeadReader.Progress, head: [UInt8], rest: [UInt8]) {
        var reader = HeadReader()
        var progress = HeadReader.Progress.incomplete
        var start = 0
        while progress == .incomplete, start < bytes.count {
            let end = min(start + step, bytes.count)
            var left = 0
            bytes[start..<end].withUnsafeBytes { part in
                var rest = part
                progress = reader.receive(&rest)
                left = rest.count
            }
            start = end - left
        }
        return (progress, reader.withHead { Array($0) }, Array(bytes[start...]))
    }

    @Test("a head is found however its bytes come, and what is behind it is left", arguments: [1, 2, 3, 7, 1000])
    func pieces(step: Int) {
        let head = UpgradeRequestTests.request()
        let result = Self.read(head + [0x81, 0x80, 0x0D, 0x0A], step: step)
        #expect(result.0 == .complete && result.head == head && result.rest == [0x81, 0x80, 0x0D, 0x0A])
        #expect(Self.read(head.dropLast(1), step: step).0 == .incomplete)
    }

    @Test("a head of 8 KiB is taken and one of a byte more is not", arguments: [1, 1000, 100_000])
    func limit(step: Int) {
        func head(_ size: Int) -> [UInt8] {
            let frame = "GET / HTTP/1.1\r\nX: \r\n\r\n"
            return Array(
                "GET / HTTP/1.1\r\nX: \(String(repeating: "a", count: size - frame.utf8.count))\r\n\r\n".utf8)
        }
        #expect(Self.read(head(HeadReader.limit), step: step).0 == .complete)
        #expect(Self.read(head(HeadReader.limit + 1), step: step).0 == .tooLong)
        #expect(Self.read([UInt8](repeating: 0x61, count: 100_000), step: step).0 == .tooLong)
    }

    @Test("lines ended by LF alone end a head, too, so that it is refused at once")
    func bareLineFeeds() {
        #expect(Self.read(Array("GET / HTTP/1.1\nHost: a\n\nrest".utf8), step: 5).0 == .complete)
    }
}
