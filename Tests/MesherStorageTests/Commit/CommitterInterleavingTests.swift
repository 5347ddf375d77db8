import PostgreSQL
import RecordedInputs
import Schema
import StorageChannel
import Testing

@testable import mesher_storage

/// The promise itself: whatever happens in whatever order, each event is answered once, and one that is said to be durable is
/// in PostgreSQL, in the spool or in the quarantine.
@Suite struct CommitterInterleavingTests {
    /// A committer between a PostgreSQL and a disk that do what chance wants.
    private struct World {
        let deciding = DecidingCommitter()
        var random: SplitMix
        /// Tickets.
        var answered: [UInt64: StoreResult] = [:]
        var durable: Set<UInt64> = []
        /// What the statement under way would store.
        var inserting: [UInt64] = []
        var sent: UInt64 = 0
        var faults: [String] = []

        mutating func step() {
            deciding.now += .random(in: 0...400_000_000, using: &random)
            let isWaiting = deciding.isWaiting
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<3: gather(.random(in: 1...5, using: &random))
            case 3..<5: endTurn()
            case 5: deciding.conditions.canKeep.toggle()
            case 6 where isWaiting: lose()
            case 7 where isWaiting: complete(Self.errors.randomElement(using: &random))
            default: if isWaiting { complete(nil) } else { proceed() }
            }
        }

        private static let errors = [
            "23514", "22P02", "54000", "40001", "55P03", "53100", "XX000", "42P01", "25006", "57014",
        ].map { DatabaseError(operation: "execute", sqlState: $0, message: $0) }

        private mutating func gather(_ count: Int) {
            for _ in 0..<count {
                deciding.gather(TestEvent(ticket: sent, day: TestEvent.today + .random(in: 0...1, using: &random)))
                sent += 1
            }
        }

        mutating func endTurn() {
            perform(deciding.committer.keepOverdue(deciding.conditions))
            perform(deciding.committer.turn(deciding.conditions))
        }

        /// Nothing is under way: there is a new session, or a turn.
        mutating func proceed() {
            guard case .away = deciding.committer.stage else { return endTurn() }
            perform(deciding.committer.connected(ending: []))
        }

        private mutating func lose() {
            // Perhaps it was committed before.
            if Bool.random(using: &random) { durable.formUnion(inserting) }
            inserting = []
            perform(deciding.committer.lost(DecidingCommitter.silence))
        }

        /// - Parameter failure: nil when PostgreSQL takes what it takes: not every ninth event, nor a statement that has one.
        mutating func complete(_ failure: DatabaseError?) {
            let refusal = DatabaseError(operation: "execute", sqlState: "22P02", message: "bad")
            let error = failure ?? (inserting.contains { $0 % 9 == 0 } ? refusal : nil)
            if error == nil { durable.formUnion(inserting) }
            inserting = []
            var schema = EventSchema()
            schema.hasClaims = true
            let result = CommandResult(error: error, schema: schema)
            perform(deciding.committer.completed(result, deciding.conditions))
        }

        private mutating func perform(_ effects: [CommitEffect]) {
            for effect in effects {
                switch effect {
                case .insert(let range, _): inserting = deciding.committer.inHand.batch.entries[range].map(\.ticket)
                case .answer(let answer): for entry in answer.entries { self.answer(entry.ticket, answer.result) }
                case .keep(let batch, let ranges): keep(ranges.flatMap { batch.entries[$0] })
                case .setAside(_, let waiting): keep(waiting)
                default: break
                }
            }
        }

        /// On disk, if that is possible.
        private mutating func keep(_ entries: [Batch.Entry]) {
            if deciding.conditions.canKeep { durable.formUnion(entries.map(\.ticket)) }
            for entry in entries { answer(entry.ticket, deciding.conditions.canKeep ? .durable : .unavailable) }
        }

        private mutating func answer(_ ticket: UInt64, _ result: StoreResult) {
            if answered.updateValue(result, forKey: ticket) != nil { faults.append("\(ticket) was answered twice") }
            if result == .durable, !durable.contains(ticket) { faults.append("\(ticket) is nowhere") }
        }
    }

    @Test("whatever happens, each event is answered once, and what is said to be durable is", arguments: 0..<40)
    func interleaving(seed: UInt64) {
        var world = World(random: SplitMix(seed: seed))
        for _ in 0..<500 { world.step() }
        // Everything works again.
        world.deciding.conditions.canKeep = true
        for _ in 0..<1_000 where world.deciding.hasEvents || world.deciding.isWaiting {
            world.deciding.now += 20_000_000
            if world.deciding.isWaiting { world.complete(nil) } else { world.proceed() }
        }
        #expect(world.faults == [])
        #expect(world.answered.count == Int(world.sent) && world.sent > 100)
        let results = Set(world.answered.values)
        #expect(results == [.durable, .unavailable], "chance has tried both")
    }
}
