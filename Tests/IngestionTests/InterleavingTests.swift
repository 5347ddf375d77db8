import StorageChannel
import Testing

@testable import Ingestion

@Suite("Any order of events")
struct InterleavingTests {
    /// Random requests, grants, acknowledgements, losses of storage and leaps of time; at the end everything is answered.
    @Test(
        "Every request is answered exactly once, and a 202 only when storage has acknowledged it", arguments: 0..<2_000)
    func answersOnce(seed: Int) {
        var random = Seeded(seed: UInt64(seed))
        let edge = Edge.knowingKey()
        var acknowledged: Set<UInt64> = []
        var isConnected = true
        let requests = 20
        var next = 0
        for _ in 0..<200 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<4 where next < requests:
                // The id of a request is its token, so that tickets and answers can be told apart.
                let identifier = String(next, radix: 16)
                edge.post(
                    requestID: String(repeating: "0", count: 32 - identifier.count) + identifier, token: next,
                    endsTurn: Bool.random(using: &random))
                next += 1
            case 4, 5:
                if let call = edge.calls.randomElement(using: &random) {
                    let granted = UInt32.random(in: 0...call.wanted, using: &random)
                    edge.grant(
                        call,
                        Int.random(in: 0..<5, using: &random) == 0
                            ? nil : LimitScript.Grant(granted: granted, used: 1_000, left: 10))
                }
            case 6, 7, 8:
                if isConnected, let ticket = edge.tickets.randomElement(using: &random) {
                    let result = [StoreResult.durable, .durable, .unavailable, .rateLimited].randomElement(
                        using: &random)
                    if result == .durable { acknowledged.insert(ticket) }
                    edge.tickets.removeAll { $0 == ticket }
                    edge.acknowledge([ticket], result ?? .durable)
                }
            case 9:
                if isConnected {
                    edge.machine.storageLost()
                    edge.tickets = []
                } else {
                    edge.machine.storageConnected()
                    edge.turn()
                }
                isConnected.toggle()
            case 10:
                edge.tell([.known, .unknown, .unavailable].randomElement(using: &random) ?? .known)
            default:
                edge.now += Int64.random(in: 0..<2_000_000_000, using: &random)
                edge.tick()
            }
        }
        edge.turn()
        edge.now += 20_000_000_000
        edge.tick()
        #expect(edge.answers.count == next)
        #expect(edge.surplusAnswers == 0)
        #expect(edge.machine.requestsInHand == 0)
        #expect(edge.machine.bytesInHand == 0)
        let accepted = edge.answers.values.filter { $0.status == 202 }.count
        #expect(accepted <= acknowledged.count)
        #expect(edge.answers.values.allSatisfy { [202, 401, 429, 503].contains($0.status) })
    }
}

/// SplitMix64: the same numbers for the same seed.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
