import Testing

@testable import Scoreboard

struct MemoryBoundTests {
    private let bound = MemoryBound(bytes: 1_200)

    /// Lets projects claim in turns, 10 bytes each, until none gets more.
    private func settled(_ projects: Int) -> [Int] {
        var claims = [Int](repeating: 0, count: projects)
        var isGrowing = true
        while isGrowing {
            isGrowing = false
            for project in claims.indices
            where bound.allows(project: claims[project] + 10, all: claims.reduce(0, +) + 10) {
                claims[project] += 10
                isGrowing = true
            }
        }
        return claims
    }

    @Test("A project alone has half of it, of two each has a third, and some is always left")
    func shares() {
        #expect(settled(1) == [600])
        #expect(settled(2) == [400, 400])
        #expect(settled(5) == [200, 200, 200, 200, 200])
        #expect(bound.allows(project: 100, all: 1_100))
    }

    @Test("Who comes while another has half gets half of the rest, and the other gets no more")
    func late() {
        #expect(bound.allows(project: 300, all: 900))
        #expect(!bound.allows(project: 310, all: 910))
        #expect(!bound.allows(project: 610, all: 910))
    }

    @Test("Nobody gets more than there is")
    func full() {
        #expect(!bound.allows(project: 1, all: 1_201))
        #expect(!bound.allows(project: .max, all: .max))
    }
}
