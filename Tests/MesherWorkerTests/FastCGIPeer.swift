import CFastCGI
import Foundation
import Glibc
import System
import Testing

@testable import Ingestion
@testable import mesher_worker

/// nginx's end of a connection: writes FastCGI records byte by byte as it is told, and reads the answer's.
struct FastCGIPeer: ~Copyable {
    let connection: FastCGIConnection
    private let descriptor: Descriptor

    init() throws {
        FCGX_Init()
        ProcessAttributes.ignoreBrokenPipes()
        var pair: [CInt] = [0, 0]
        try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair) == 0)
        descriptor = Descriptor(adopting: pair[0])
        connection = FastCGIConnection(adopting: Descriptor(adopting: pair[1]))
    }

    func send(_ bytes: [UInt8]) {
        _ = write(descriptor.number, bytes, bytes.count)
    }

    /// Writes from another thread, which is over when all is read.
    func sendMeanwhile(_ bytes: [UInt8]) {
        let number = descriptor.number
        Thread.detachNewThread {
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes { write(number, $0.baseAddress! + sent, bytes.count - sent) }
                if count <= 0 { return }
                sent += count
            }
        }
    }

    /// No more will come.
    func shutDown() {
        shutdown(descriptor.number, CInt(SHUT_WR))
    }

    /// The CGI response among the records that have come, and whether the request was ended.
    func response() -> (text: String, isEnded: Bool) {
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor.number, &bytes, bytes.count, CInt(MSG_DONTWAIT))
        var rest = bytes[..<max(0, count)]
        var text: [UInt8] = []
        var isEnded = false
        while rest.count >= 8 {
            let header = Array(rest.prefix(8))
            let length = Int(header[4]) << 8 | Int(header[5])
            let content = rest.dropFirst(8).prefix(length)
            if header[1] == 6 { text += content }
            if header[1] == 3 { isEnded = true }
            rest = rest.dropFirst(8 + length + Int(header[6]))
        }
        return (String(decoding: text, as: UTF8.self), isEnded)
    }

    /// A whole request of FastCGI 1.0, which asks to keep the connection.
    static func request(_ parameters: [(String, String)], body: [UInt8] = []) -> [UInt8] {
        var content: [UInt8] = []
        for (name, value) in parameters {
            for count in [name.utf8.count, value.utf8.count] {
                if count < 128 {
                    content.append(UInt8(count))
                } else {
                    content += withUnsafeBytes(of: (UInt32(count) | 0x8000_0000).bigEndian, Array.init)
                }
            }
            content += name.utf8
            content += value.utf8
        }
        var bytes = record(1, [0, 1, 1, 0, 0, 0, 0, 0]) + record(4, content) + record(4, [])
        var start = 0
        while start < body.count {
            bytes += record(5, Array(body[start..<min(body.count, start + 60_000)]))
            start += 60_000
        }
        return bytes + record(5, [])
    }

    static func record(_ kind: UInt8, _ content: [UInt8], request: UInt8 = 1) -> [UInt8] {
        let padding = (8 - content.count % 8) % 8
        let header = [1, kind, 0, request, UInt8(content.count >> 8), UInt8(content.count & 0xff), UInt8(padding), 0]
        return header + content + [UInt8](repeating: 0, count: padding)
    }
}
