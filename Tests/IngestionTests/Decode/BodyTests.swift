import Testing

@testable import Ingestion

@Suite struct BodyTests {
    /// The bytes behind the body.
    private func padding(_ body: inout Body) -> [UInt8] {
        body.withUnsafeMutableBytes { bytes in
            Array(UnsafeRawBufferPointer(start: bytes.baseAddress! + bytes.count, count: Body.padding))
        }
    }

    @Test("64 zero bytes follow a body, also when it is cut")
    func padded() {
        let zeros = [UInt8](repeating: 0, count: 64)
        var body = Body(count: 100)
        body.withUnsafeMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0xFF) }
        #expect(padding(&body) == zeros)
        body.truncate(to: 10)
        #expect(body.count == 10)
        #expect(padding(&body) == zeros)
        body.withUnsafeMutableBytes { bytes in
            #expect(bytes.count == 10)
            #expect(bytes.allSatisfy { $0 == 0xFF })
        }
    }

    @Test("sizes that make no sense do no harm")
    func sizes() {
        var none = Body(count: -1)
        #expect(none.count == 0)
        #expect(none.withUnsafeMutableBytes(\.count) == 0)
        var body = Body(count: 3)
        body.truncate(to: 5)
        #expect(body.count == 3)
        body.truncate(to: -1)
        #expect(body.count == 0)
    }

    @Test("an error of the closure passes through")
    func errors() {
        var body = Body(count: 1)
        #expect(throws: Refusal.self) {
            try body.withUnsafeMutableBytes { _ throws(Refusal) in throw Refusal(.emptyBulk, "") }
        }
    }
}
