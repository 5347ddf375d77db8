import Foundation
import TestServers
import Testing

extension EndToEnd {
    struct EncodingTests {
        let project: Project
        private let event = #"{"message":"Grüße","level":"info"}"#

        init() throws {
            project = try Project.create(on: EndToEnd.stack())
        }

        /// Compresses by the programs of Debian and Python, which is to say not by the libraries' use in Mesher.
        private func compressed(_ text: String, by code: String) throws -> [UInt8] {
            let script = "import sys, zlib, gzip; d = sys.argv[1].encode(); print((\(code)).hex())"
            return Self.bytes(try Execution.output(["python3", "-c", script, text]))
        }

        private static func bytes(_ hex: String) -> [UInt8] {
            let digits = Array(hex)
            return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(digits[$0...$0 + 1]), radix: 16)
            }
        }

        private func post(_ body: [UInt8], _ encoding: String) throws -> HTTPResponse {
            try project.stack.request(
                "POST", "/api/v1/events",
                [("Authorization", "Bearer \(project.key)"), ("Content-Encoding", encoding)], body: body)
        }

        @Test(
            "A compressed body is stored as it was before",
            arguments: [
                ("gzip", "gzip.compress(d)"), ("x-gzip", "gzip.compress(d)"), ("GZIP", "gzip.compress(d)"),
                ("deflate", "zlib.compress(d)"), ("deflate", "zlib.compress(d)[2:-4]"),
            ])
        func compressions(encoding: String, code: String) throws {
            #expect(try post(compressed(event, by: code), encoding).status == 202)
            #expect(
                try project.stack.query("SELECT payload::text FROM events WHERE project_id = \(project.id)") == [
                    [event]
                ])
        }

        @Test("Brotli and Zstandard are taken")
        func otherCompressions() throws {
            // RFC 7932: a window of 16 bits, one uncompressed metablock of 35 bytes, an empty last one.
            let text = Array(event.utf8)
            let length = UInt32(text.count - 1)
            let head: UInt32 = 0b0 | (0 << 1) | (0 << 2) | (length << 4) | (1 << 20)
            let brotli = (0..<3).map { UInt8(truncatingIfNeeded: head >> (8 * UInt32($0))) } + text + [0x03]
            #expect(try post(brotli, "br").status == 202)
            // RFC 8878: a frame of one segment, one raw block, which is the last.
            let block = UInt32(text.count) << 3 | 1
            let zstandard =
                [0x28, 0xb5, 0x2f, 0xfd, 0x20, UInt8(text.count)]
                + (0..<3).map { UInt8(truncatingIfNeeded: block >> (8 * UInt32($0))) } + text
            #expect(try post(zstandard, "zstd").status == 202)
            #expect(try project.count() == 2)
        }

        @Test("Names that mean no compression are taken", arguments: ["identity", "UTF-8", "utf-8", ""])
        func identity(encoding: String) throws {
            #expect(try post(Array(event.utf8), encoding).status == 202)
        }

        /// Some kilobytes that become 500 MB of zeros.
        enum Bomb: String, CaseIterable {
            case zstd, br

            var bytes: [UInt8] {
                switch self {
                case .zstd:
                    // RFC 8878: a frame with a window of 128 KiB; blocks of one byte that is repeated so often.
                    let size = UInt32(128 << 10)
                    let blocks = (1...3_815).map { size << 3 | 1 << 1 | ($0 == 3_815 ? 1 : 0) }
                    return [0x28, 0xb5, 0x2f, 0xfd, 0, 0x38]
                        + blocks.flatMap { block in (0..<3).map { UInt8(truncatingIfNeeded: block >> (8 * $0)) } + [0] }
                case .br:
                    // RFC 7932: what the reference encoder flushes after the first 16 MiB, after all further ones, and at
                    // the end.
                    let first = "cbffff3f002400e2b14072effff8ffff078004401c1680eefd9f01"
                    let next = "fcffff034002200e0b40f7fe8fffff7f004800c46101e8deff19"
                    return EncodingTests.bytes(first + String(repeating: next, count: 29) + "03")
                }
            }
        }

        @Test("A body of a few kilobytes that would become 500 MB is refused while it grows, with flat memory")
        func bombs() throws {
            let workers = Processes(stack: project.stack).children("mesher-worker", "events")
            try #require(!workers.isEmpty)
            // What a body of the largest size takes anyway.
            let largest = String(repeating: " ", count: (1 << 20) - event.utf8.count) + event
            for _ in workers { #expect(try project.post(largest).status == 202) }
            let before = try workers.map { try peakMemory($0) }
            for bomb in Bomb.allCases {
                let bytes = bomb.bytes
                #expect(bytes.count < 16_384)
                for _ in 0..<10 {
                    let response = try post(bytes, bomb.rawValue)
                    #expect(response.status == 400 && response.reason == "payload_too_large", "\(bomb)")
                }
            }
            // The same processes, of which none has grown by what is more than the limit and the windows of the decoders.
            #expect(Processes(stack: project.stack).children("mesher-worker", "events") == workers)
            let growth = zip(try workers.map { try peakMemory($0) }, before).map { $0 - $1 }
            #expect(growth.allSatisfy { $0 < 32 << 20 }, "\(growth)")
        }

        /// The most memory that a process ever had, `VmHWM` of proc(5), in bytes.
        private func peakMemory(_ pid: pid_t) throws -> Int {
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
            return try #require(line.split(separator: " ").dropLast().last.flatMap { Int($0) }) * 1024
        }

        @Test("A compressed body that is cut short is refused")
        func cutShort() throws {
            let whole = try compressed(event, by: "gzip.compress(d)")
            for count in [0, 1, 10, whole.count / 2, whole.count - 1] {
                let response = try post(Array(whole.prefix(count)), "gzip")
                #expect(response.status == 400, "\(count) bytes")
                #expect(response.error == "invalid gzip body", "\(count) bytes")
            }
        }
    }
}
