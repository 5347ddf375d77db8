import Scoreboard
import Testing

@testable import mesher_stream

struct HeldMemoryTests {
    private let table: SessionTable
    private let bound = MemoryBound(bytes: 16 << 20)

    init() throws {
        table = try SessionTable.unseen()
    }

    private func session(_ project: Int64) throws -> HeldMemory {
        let record = try #require(table.reserve(owner: 0))
        try #require(table.enter(record, project: project, limit: 100))
        return HeldMemory(table, record: record, bound: bound)
    }

    @Test("A claim stands for all that is held, a quarter more at most, and changes seldom")
    func steps() {
        #expect(HeldMemory.claim(for: 0) == 0 && HeldMemory.claim(for: 64 << 10) == 0)
        for bytes in stride(from: (64 << 10) + 1, through: 10 << 20, by: 4_099) {
            let claim = HeldMemory.claim(for: bytes)
            #expect(claim >= bytes && claim - bytes <= max(64 << 10, bytes / 4), "\(bytes)")
        }
        #expect(Set((0...(5 << 20) / 4_096).map { HeldMemory.claim(for: $0 * 4_096) }).count < 50)
    }

    @Test("A message grows until its project has its share; what is delivered or given up makes room again")
    func grows() throws {
        let (first, second) = (try session(1), try session(1))
        #expect(first.mayHold(message: 5 << 20) && second.mayHold(message: 3 << 20))
        #expect(!second.mayHold(message: 4 << 20))
        first.settle(message: 0, others: 0)
        #expect(second.mayHold(message: 4 << 20) && table.claimed == 4 << 20)
    }

    @Test("What is in hand counts beside the message that is coming")
    func others() throws {
        let memory = try session(1)
        memory.others = 6 << 20
        #expect(memory.mayHold(message: 2 << 20) && !memory.mayHold(message: 3 << 20))
        memory.settle(message: 0, others: 7 << 20)
        #expect(!memory.isOver && table.claimed == 7 << 20)
        memory.settle(message: 0, others: 9 << 20)
        #expect(memory.isOver && table.claimed == 7 << 20)
        memory.settle(message: 0, others: 1_000)
        #expect(!memory.isOver && table.claimed == 0)
    }

    @Test("What each session may hold without a claim counts for nobody")
    func small() throws {
        for _ in 0..<100 { #expect(try session(1).mayHold(message: 64 << 10)) }
        #expect(table.claimed == 0)
    }
}
