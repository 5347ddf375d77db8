import Glibc
import Testing

@testable import mesher_watchdog

struct SessionMemoryTests {
    @Test("Few sessions are all asked for each time; of many the average of a part is taken for all")
    func estimate() {
        var memory = SessionMemory()
        #expect(memory.total(of: 0) == 0 && memory.total(of: 3) == nil)
        memory.sample(records: 8, process: { $0 % 2 == 0 ? pid_t($0 + 1) : nil }, memory: { Int($0) * 100 })
        #expect(memory.total(of: 4) == (1 + 3 + 5 + 7) * 100)
        var asked: Set<pid_t> = []
        for _ in 0..<100 {
            let before = asked.count
            memory.sample(
                records: 1_000, process: { pid_t($0 + 1) },
                memory: { pid in
                    asked.insert(pid)
                    return 700
                })
            #expect(asked.count - before <= 16)
        }
        #expect(asked.count == 1_000)
        #expect(memory.total(of: 1_000) == 700_000)
    }

    @Test("Those that have ended count no longer, and one that is gone when it is asked for is left out")
    func ended() {
        var memory = SessionMemory()
        memory.sample(records: 10, process: { pid_t($0 + 1) }, memory: { _ in 1_000 })
        memory.sample(records: 10, process: { $0 == 3 ? 4 : nil }, memory: { _ in 50 })
        #expect(memory.total(of: 1) == 50)
        memory.sample(records: 10, process: { $0 == 3 ? 4 : nil }, memory: { _ in nil })
        #expect(memory.total(of: 1) == 50)
        #expect(SessionMemory.proportional(of: getpid()) ?? 0 > 100_000)
        #expect(SessionMemory.proportional(of: .max) == nil)
    }
}
