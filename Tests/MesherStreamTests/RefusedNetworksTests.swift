import Testing

@testable import mesher_stream

struct RefusedNetworksTests {
    private let second: Int64 = 1_000_000_000

    @Test("32 refusals at once are no harm; then that network is kept out, and no other")
    func burst() {
        var networks = RefusedNetworks()
        for _ in 0..<32 {
            networks.refused(1, now: 0)
            #expect(networks.mayAsk(1, now: 0))
        }
        networks.refused(1, now: 0)
        #expect(!networks.mayAsk(1, now: 0) && networks.mayAsk(2, now: 0))
        #expect(networks.mayAsk(1, now: second / 32))
    }

    @Test("Who is refused 32 times a second may go on; who is refused a thousand times waits, 10 s at most")
    func time() {
        var networks = RefusedNetworks()
        for number in 0..<1_000 {
            networks.refused(1, now: Int64(number) * second / 32)
            networks.refused(2, now: 0)
        }
        #expect(networks.mayAsk(1, now: 999 * second / 32))
        #expect(!networks.mayAsk(2, now: 10 * second - 1) && networks.mayAsk(2, now: 10 * second))
    }

    @Test("It remembers no more networks than it may, and forgets the quiet ones first")
    func capacity() {
        var networks = RefusedNetworks()
        for network in 0..<UInt64(RefusedNetworks.capacity + 10) { networks.refused(network, now: 0) }
        #expect(networks.count == RefusedNetworks.capacity)
        for _ in 0..<40 { networks.refused(0, now: 0) }
        networks.refused(.max, now: second / 2)
        #expect(networks.count == 2 && !networks.mayAsk(0, now: 0))
    }
}
