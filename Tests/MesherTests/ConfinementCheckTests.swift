import Confinement
import Testing

@testable import mesher

struct ConfinementCheckTests {
    private static let all: Sandbox.Bonds = [.landlock, .seccomp]

    private func finding(
        _ processes: [ConfinementCheck.Process], wanted: Sandbox.Bonds = all, possible: Sandbox.Bonds = all
    ) -> Finding {
        let group = ConfinementCheck.Group(name: "workers", wanted: wanted, processes: processes)
        return ConfinementCheck.finding(group, possible: possible, version: possible.contains(.landlock) ? 4 : nil)
    }

    private func process(_ status: String, said: UInt64 = all.rawValue) throws -> ConfinementCheck.Process {
        try #require(ConfinementCheck.process("worker events 0", status: status, said: said))
    }

    private let confined = "Name:\tmesher-worker\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n"
    private let free = "Name:\tmesher-worker\nNoNewPrivs:\t1\nSeccomp:\t0\n"

    @Test("what holds all processes of a kind is said, and what the kernel does not have")
    func good() throws {
        #expect(try finding([process(confined)]).text == "workers: Landlock (version 4), seccomp, no new privileges")
        #expect(
            try finding([process(confined)], possible: .seccomp).text
                == "workers: seccomp, no new privileges; this kernel has no Landlock")
        let none = try finding([process(free, said: 0)], possible: [])
        #expect(none.text == "workers: no new privileges; this kernel has no Landlock and no seccomp" && !none.isFault)
        #expect(try finding([process(free, said: 0)], wanted: []).text == "workers: no new privileges")
        #expect(finding([]).text == "workers: none running")
    }

    @Test("one process without what the kernel has is a fault, whatever it says, and whoever else has set a filter")
    func loose() throws {
        #expect(
            try finding([process(confined), process(free)]).text
                == "worker events 0 runs without seccomp, which this kernel supports")
        let foreign = try finding([process(confined, said: Sandbox.Bonds.landlock.rawValue)])
        #expect(foreign.text == "worker events 0 runs without seccomp, which this kernel supports" && foreign.isFault)
        #expect(try finding([process(confined, said: Sandbox.Bonds.seccomp.rawValue)]).isFault)
        #expect(try finding([process("Name:\tmesher-worker\nSeccomp:\t2\nNoNewPrivs:\t0\n")]).isFault)
    }

    @Test("the number of another program says nothing about Mesher")
    func elsewhere() {
        #expect(ConfinementCheck.process("watchdog", status: "Name:\tmesher\nNoNewPrivs:\t0\n", said: 0) == nil)
    }
}
