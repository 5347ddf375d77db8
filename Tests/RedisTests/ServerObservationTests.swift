import Testing

@testable import Redis

struct ServerObservationTests {
    @Test(
        "A clock differs by what the answer cannot have taken",
        arguments: [
            (["100", "0"], 0), (["101", "500000"], 0), (["99", "250000"], 750_000), (["103", "1"], 1_000_001),
        ] as [([String], Int64)])
    func clock(_ words: [String], _ difference: Int64) {
        var observation = ServerObservation()
        observation.note(time: .texts(words), asked: 100_000_000, now: 102_000_000)
        #expect(observation.clockDifference == difference)
    }

    @Test(
        "Of a clock that is not told nothing is known",
        arguments: [
            .error("NOPERM"), .texts(["1"]), .texts(["a", "0"]), .texts(["-1", "0"]), .integers([1, 2]),
        ] as [RedisReply])
    func unknown(_ reply: RedisReply) {
        var observation = ServerObservation()
        observation.note(time: .texts(["90", "0"]), asked: 100_000_000, now: 100_000_000)
        observation.note(time: reply, asked: 100_000_000, now: 100_000_000)
        #expect(observation.clockDifference == nil)
    }
}
