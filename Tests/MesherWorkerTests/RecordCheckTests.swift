import Testing

@testable import mesher_worker

@Suite("The records of a request")
struct RecordCheckTests {
    private static let head = FastCGIPeer.record(1, [0, 1, 1, 0, 0, 0, 0, 0])
    private static let end = FastCGIPeer.record(4, []) + FastCGIPeer.record(5, [])

    private static func lengths(_ name: UInt32, _ value: UInt32) -> [UInt8] {
        [name, value].flatMap { withUnsafeBytes(of: ($0 | 0x8000_0000).bigEndian, Array.init) }
    }

    /// What ends or overwrites an unchecked libfcgi, and what is as little of nginx's sending.
    static let hostile: [[UInt8]] = {
        let filling = [UInt8](repeating: 0x41, count: 60_000)
        var inputs = [
            (0x7fff_ffff, 0x7fff_ffff), (0x7fff_ffff, 0x7fff_fff0), (0x7fff_ff00, 0x10), (0x4000_0000, 0x3fff_ffff),
            (0x7000_0000, 1), (1, 0x7000_0000), (65_536, 0), (0, 65_536),
        ].map { head + FastCGIPeer.record(4, lengths($0, $1) + filling) + end }
        // Management records: before the request, in its parameters, in its body; values without end.
        let name = Array("FCGI_MPXS_CONNS".utf8)
        let values = Array(repeating: [UInt8(name.count), 0] + name, count: 200).flatMap(\.self)
        let management = FastCGIPeer.record(9, values, request: 0)
        inputs.append(management + head + end)
        inputs.append(head + management + end)
        inputs.append(head + FastCGIPeer.record(4, []) + FastCGIPeer.record(5, [1, 2, 3]) + management)
        inputs.append(head + FastCGIPeer.record(4, []) + FastCGIPeer.record(11, [0], request: 0))
        // A second beginning, another's number, a type out of its turn, parameters that are cut off or too many.
        inputs.append(head + head + end)
        inputs.append(head + FastCGIPeer.record(4, [], request: 2) + FastCGIPeer.record(5, [], request: 2))
        inputs.append(head + FastCGIPeer.record(5, []))
        inputs.append(head + FastCGIPeer.record(4, [5, 5, 0x41]) + end)
        inputs.append(head + FastCGIPeer.record(4, [0x80, 0]) + end)
        let pair: [UInt8] = [1, 1, 0x41, 0x42]
        let full = FastCGIPeer.record(4, Array(repeating: pair, count: 15_000).flatMap(\.self))
        inputs.append(head + full + full + end)
        // Something behind its end.
        inputs.append(head + end + [1])
        return inputs
    }()

    /// Takes bytes in pieces of a size.
    private func isHarmless(_ bytes: [UInt8], step: Int) -> Bool {
        var check = RecordCheck()
        for start in stride(from: 0, to: bytes.count, by: step) {
            let isTaken = bytes[start..<min(start + step, bytes.count)].withUnsafeBytes { check.accept($0) }
            if !isTaken { return false }
        }
        return check.isWhole
    }

    @Test("What nginx sends is taken, wherever it is cut into pieces", arguments: [1, 7, 8, 100, 8_192])
    func takes(step: Int) {
        let long = String(repeating: "v", count: 20_000)
        let parameters = [("REQUEST_METHOD", "POST"), ("HTTP_COOKIE", long), ("EMPTY", ""), ("X", "y")]
        for size in [0, 1, 65_535, 200_000] {
            let body = [UInt8](repeating: 0x7b, count: size)
            #expect(isHarmless(FastCGIPeer.request(parameters, body: body), step: step))
        }
    }

    @Test("All else is refused, wherever it is cut into pieces", arguments: [1, 9, 8_192])
    func refuses(step: Int) {
        for (place, bytes) in Self.hostile.enumerated() { #expect(!isHarmless(bytes, step: step), "input \(place)") }
    }
}
