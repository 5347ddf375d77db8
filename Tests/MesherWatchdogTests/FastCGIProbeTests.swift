import Testing

@testable import mesher_watchdog

struct FastCGIProbeTests {
    private func record(_ type: UInt8, _ text: String, padding: UInt8 = 0) -> [UInt8] {
        let content = Array(text.utf8)
        return [1, type, 0, 1, UInt8(content.count >> 8), UInt8(content.count & 0xff), padding, 0] + content
            + [UInt8](repeating: 0, count: Int(padding))
    }

    @Test("An answer is good when its standard output says 200, in however many records")
    func goodAnswers() {
        let end = record(3, "12345678")
        #expect(FastCGIProbe.isGood(record(6, "Status: 200 OK\r\n\r\nx", padding: 5) + end))
        #expect(FastCGIProbe.isGood(record(6, "Status") + record(7, "noise") + record(6, ": 200 OK\r\n\r\n") + end))
    }

    @Test("Everything else is not: another status, nothing, half a record, nonsense")
    func badAnswers() {
        let good = record(6, "Status: 200 OK\r\n\r\n", padding: 3)
        #expect(!FastCGIProbe.isGood(record(6, "Status: 503 Service Unavailable\r\n\r\n")))
        #expect(!FastCGIProbe.isGood([]))
        for length in 0..<good.count { #expect(!FastCGIProbe.isGood(Array(good.prefix(length)))) }
        #expect(!FastCGIProbe.isGood([UInt8](repeating: 0xff, count: 100)))
    }

    @Test("The request consists of whole records, and its parameters end")
    func request() {
        var rest = FastCGIProbe.request()[...]
        var types: [UInt8] = []
        while rest.count >= 8 {
            let header = Array(rest.prefix(8))
            types.append(header[1])
            rest = rest.dropFirst(8 + Int(header[5]))
        }
        #expect(types == [1, 4, 4, 5] && rest.isEmpty)
    }
}
