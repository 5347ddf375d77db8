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
            return bytes(try Execution.output(["python3", "-c", script, text]))
        }

        private func bytes(_ hex: String) -> [UInt8] {
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

        @Test("A body that grows beyond the limit is refused while it grows")
        func bomb() throws {
            let bomb = try compressed("", by: "gzip.compress(b' ' * 300_000_000)")
            #expect(bomb.count < 400_000)
            let response = try post(bomb, "gzip")
            #expect(response.status == 400)
            #expect(response.reason == "payload_too_large")
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
