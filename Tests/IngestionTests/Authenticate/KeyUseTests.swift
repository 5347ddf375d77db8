import StorageChannel
import Testing

@testable import Ingestion

/// How storage hears which keys are used: an edge asks it about each once a day.
@Suite struct KeyUseTests {
    private static func post(_ edge: Edge, at seconds: StaticString, token: Int) {
        edge.post(token: token) {
            $0.receivedAt = UnsafeRawBufferPointer(start: seconds.utf8Start, count: seconds.utf8CodeUnitCount)
        }
    }

    @Test("A known key is asked for at its first use on a day, and the request does not wait for the answer")
    func daily() {
        let edge = Edge.knowingKey()
        // The key was asked for on 2023-11-14.
        Self.post(edge, at: "1700006399.999", token: 1)
        #expect(edge.lookUps.isEmpty)
        Self.post(edge, at: "1700006400.000", token: 2)
        #expect(edge.lookUps == [Edge.key])
        #expect(edge.calls.map(\.wanted).reduce(0, +) == 2)
        Self.post(edge, at: "1700006399.999", token: 3)
        Self.post(edge, at: "1700092799.999", token: 4)
        #expect(edge.lookUps.count == 1)
        edge.tell(.known)
        Self.post(edge, at: "1700092799.999", token: 5)
        #expect(edge.lookUps.count == 1)
        Self.post(edge, at: "1700092800.000", token: 6)
        #expect(edge.lookUps.count == 2)
    }

    @Test("A key that came without being asked for is asked for at its first use")
    func told() {
        let edge = Edge()
        edge.machine.openStream(Edge.key)
        edge.tell(.known)
        edge.turn()
        edge.lookUps = []
        edge.post(token: 1)
        #expect(edge.lookUps == [Edge.key])
        edge.post(token: 2)
        #expect(edge.lookUps.count == 1)
    }

    @Test("An unknown key is not asked for again")
    func unknown() {
        let edge = Edge()
        Self.post(edge, at: "1700000000.000", token: 1)
        edge.tell(.unknown)
        Self.post(edge, at: "1800000000.000", token: 2)
        #expect(edge.lookUps.count == 1 && edge.answers[2]?.status == 401)
    }
}
