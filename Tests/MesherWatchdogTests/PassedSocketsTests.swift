import Testing

@testable import mesher_watchdog

struct PassedSocketsTests {
    private func names(_ pid: String?, _ count: String?, _ names: String?) -> [String] {
        PassedSockets.names(pid: pid, count: count, names: names, ownPID: 42).map { "\($0.0)=\($0.1)" }
    }

    @Test("Descriptors are numbered from 3 in the order of their names")
    func numbersFromThree() {
        #expect(names("42", "2", "bulk:events") == ["3=bulk", "4=events"])
    }

    @Test("What was meant for another process is left alone")
    func checksTheProcess() {
        #expect(names("41", "2", "bulk:events") == [])
        #expect(names(nil, "2", "bulk:events") == [])
    }

    @Test("Numbers that make no sense pass nothing", arguments: ["", "x", "0", "-1", "99999999999999999999"])
    func ignoresNonsense(count: String) {
        #expect(names("42", count, "events") == [])
    }

    @Test("No more descriptors are taken than there are")
    func takesNoMoreThanPassed() {
        #expect(names("42", "1", "events:bulk") == ["3=events"])
        #expect(names("42", "9", "events:bulk") == ["3=events", "4=bulk"])
    }
}
