import Testing

@testable import Scoreboard

struct SuspectsTests {
    private static let body = BodyMark(project: 7, size: 100, hash: 5)

    private func verdict(
        _ suspects: Suspects, request: UInt128, project: Int64 = 7, size: Int = 100, hash: UInt64 = 5
    ) -> (verdict: Suspects.Verdict, hashes: Int) {
        var hashes = 0
        let (verdict, body) = suspects.verdict(on: request, BodyMark(project: project, size: size)) {
            hashes += 1
            return hash
        }
        #expect(body == BodyMark(project: project, size: size, hash: hashes > 0 ? hash : 0))
        return (verdict, hashes)
    }

    @Test("Nothing is hashed, and all are innocent, where nothing has died")
    func nobody() {
        let (verdict, hashes) = verdict(Suspects(), request: 1)
        #expect(verdict == .innocent && hashes == 0)
        #expect(Suspects().isEmpty)
    }

    @Test("One death makes a request suspect, two make it poison, by its id", arguments: [1, 2, 3])
    func byRequest(deaths: Int) {
        var suspects = Suspects()
        suspects.dead = [Suspect(request: 1, body: BodyMark(project: 7, size: 100), deaths: deaths)]
        #expect(verdict(suspects, request: 1).verdict == (deaths == 1 ? .suspect : .poison))
        let (other, hashes) = verdict(suspects, request: 2)
        #expect(other == .innocent && hashes == 0, "without a hash a body is not known again")
    }

    @Test("What another process handles counts as a death that is not written down yet")
    func elsewhere() {
        var suspects = Suspects()
        suspects.elsewhere = [3, 1]
        #expect(!suspects.isEmpty)
        #expect(verdict(suspects, request: 1).verdict == .suspect)
        suspects.dead = [Suspect(request: 1, body: Self.body, deaths: 1)]
        #expect(verdict(suspects, request: 1).verdict == .poison)
        #expect(verdict(suspects, request: 2, size: 1).verdict == .innocent)
    }

    @Test("A body is known again with another id, in its project alone, and is hashed only when its size is right")
    func byBody() {
        var suspects = Suspects()
        suspects.dead = [Suspect(request: 1, body: Self.body, deaths: 2)]
        #expect(verdict(suspects, request: 2) == (.poison, 1))
        #expect(verdict(suspects, request: 2, hash: 6) == (.innocent, 1))
        #expect(verdict(suspects, request: 2, size: 101) == (.innocent, 0))
        #expect(verdict(suspects, request: 2, project: 8) == (.innocent, 0))
    }

    @Test("Two bodies that differ in a single bit have different hashes, and none has the one that stands for none")
    func hash() {
        var body = (0..<29).map { UInt8($0) }
        let hash = body.withUnsafeBytes(BodyMark.hash)
        for bit in 0..<body.count * 8 {
            body[bit / 8] ^= 1 << (bit % 8)
            #expect(body.withUnsafeBytes(BodyMark.hash) != hash)
            body[bit / 8] ^= 1 << (bit % 8)
        }
        #expect(body.withUnsafeBytes(BodyMark.hash) == hash)
        #expect(BodyMark.hash(UnsafeRawBufferPointer(start: nil, count: 0)) != 0)
    }
}
