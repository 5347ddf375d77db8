import Configuration
import Testing

@testable import Redis

struct SentinelRoundTests {
    private let servers = [1, 2, 3].map { ServerAddress(host: "sentinel", port: $0) }

    @Test("Each Sentinel is asked once for a connection, and the next connection begins after the last that was asked")
    func eachOnce() {
        var round = SentinelRound(last: 1)
        #expect(round.isOver && round.next(among: servers) == nil)
        round.begin(among: servers)
        #expect((0..<4).map { _ in round.next(among: servers)?.port } == [3, 1, 2, nil])
        #expect(round.isOver)
        round.begin(among: servers)
        #expect(round.next(among: servers)?.port == 3 && !round.isOver)
        // One that answers ends the round; the next asks another.
        round.begin(among: servers)
        #expect(round.next(among: servers)?.port == 1)
    }

    @Test("No Sentinels are no round")
    func none() {
        var round = SentinelRound()
        round.begin(among: [])
        #expect(round.isOver && round.next(among: []) == nil)
    }
}
