import PostgreSQL
import RecordedInputs
import Schema
import StorageChannel
import Testing

@testable import mesher_storage

/// The promise itself: whatever happens in whatever order, each event is answered once, and one that is said to be durable is
/// in PostgreSQL, in the spool or in the quarantine.
@Suite struct CommitterInterleavingTests {
    /// Two committers, one of which helps the other, between a PostgreSQL and a disk that do what chance wants.
    private struct World {
        let committers: [DecidingCommitter] = {
            let first = DecidingCommitter()
            return [first, DecidingCommitter(groupCommit: first.groupCommit)]
        }()
        var random: SplitMix
        /// Tickets.
        var answered: [UInt64: StoreResult] = [:]
        var durable: Set<UInt64> = []
        /// What the statement under way would store, of each.
        var inserting: [[UInt64]] = [[], []]
        /// How often both had one.
        var overlaps = 0
        var sent: UInt64 = 0
        var faults: [String] = []

        mutating func step() {
            pass(.random(in: 0...400_000_000, using: &random))
            let who = Int.random(in: 0...1, using: &random)
            let isWaiting = committers[who].isWaiting
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<3: gather(.random(in: 1...5, using: &random))
            case 3..<5: endTurn()
            case 5: for one in committers { one.conditions.canKeep.toggle() }
            case 6 where isWaiting: lose(who)
            case 7 where isWaiting: complete(who, Self.errors.randomElement(using: &random))
            default: if isWaiting { complete(who, nil) } else { proceed(who) }
            }
            if inserting.allSatisfy({ !$0.isEmpty }) { overlaps += 1 }
        }

        func pass(_ time: Int64) {
            for one in committers { one.now += time }
        }

        var hasWork: Bool { committers.contains { $0.hasEvents || $0.isWaiting } }

        private static let errors = [
            "23514", "22P02", "54000", "40001", "55P03", "53100", "XX000", "42P01", "25006", "57014",
        ].map { DatabaseError(operation: "execute", sqlState: $0, message: $0) }

        private mutating func gather(_ count: Int) {
            for _ in 0..<count {
                committers[0].gather(TestEvent(ticket: sent, day: TestEvent.today + .random(in: 0...1, using: &random)))
                sent += 1
            }
        }

        mutating func endTurn() {
            for (who, one) in committers.enumerated() {
                perform(who, one.committer.keepOverdue(one.conditions))
                one.conditions.beside = committers[1 - who].committer.inHand.waiting
                if who == 1 { perform(1, one.committer.help(&committers[0].committer, one.conditions)) }
                perform(who, one.committer.turn(one.conditions))
            }
        }

        /// Nothing is under way: there is a new session, or a turn.
        mutating func proceed(_ who: Int) {
            guard case .away = committers[who].committer.stage else { return endTurn() }
            perform(who, committers[who].committer.connected(ending: []))
        }

        private mutating func lose(_ who: Int) {
            // Perhaps it was committed before.
            if Bool.random(using: &random) { durable.formUnion(inserting[who]) }
            inserting[who] = []
            perform(who, committers[who].committer.lost(DecidingCommitter.silence))
        }

        /// - Parameter failure: nil when PostgreSQL takes what it takes: not every ninth event, nor a statement that has one.
        mutating func complete(_ who: Int, _ failure: DatabaseError?) {
            let refusal = DatabaseError(operation: "execute", sqlState: "22P02", message: "bad")
            let error = failure ?? (inserting[who].contains { $0 % 9 == 0 } ? refusal : nil)
            if error == nil { durable.formUnion(inserting[who]) }
            inserting[who] = []
            var schema = EventSchema()
            schema.hasClaims = true
            let result = CommandResult(error: error, schema: schema)
            perform(who, committers[who].committer.completed(result, committers[who].conditions))
        }

        private mutating func perform(_ who: Int, _ effects: [CommitEffect]) {
            for effect in effects {
                switch effect {
                case .insert(let range, _):
                    inserting[who] = committers[who].committer.inHand.batch.entries[range].map(\.ticket)
                case .answer(let answer): for entry in answer.entries { self.answer(entry.ticket, answer.result) }
                case .keep(let batch, let ranges): keep(ranges.flatMap { batch.entries[$0] })
                case .setAside(_, let waiting): keep(waiting)
                default: break
                }
            }
        }

        /// On disk, if that is possible.
        private mutating func keep(_ entries: [Batch.Entry]) {
            if committers[0].conditions.canKeep { durable.formUnion(entries.map(\.ticket)) }
            for entry in entries { answer(entry.ticket, committers[0].conditions.canKeep ? .durable : .unavailable) }
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
        for one in world.committers { one.conditions.canKeep = true }
        for step in 0..<2_000 where world.hasWork {
            world.pass(20_000_000)
            if world.committers[step % 2].isWaiting { world.complete(step % 2, nil) } else { world.proceed(step % 2) }
        }
        #expect(world.faults == [])
        #expect(world.answered.count == Int(world.sent) && world.sent > 100)
        let results = Set(world.answered.values)
        #expect(results == [.durable, .unavailable], "chance has tried both")
    }

    @Test("chance lets both have a statement under way")
    func overlaps() {
        let overlaps = (UInt64(0)..<20).map { seed -> Int in
            var world = World(random: SplitMix(seed: seed))
            for _ in 0..<200 { world.step() }
            return world.overlaps
        }
        #expect(overlaps.reduce(0, +) > 20)
    }
}
