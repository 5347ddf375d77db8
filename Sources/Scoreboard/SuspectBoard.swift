internal import Glibc
internal import System

/// The suspects as a worker sees them, in the scoreboard that it only reads.
///
/// nginx notices a worker's death as soon as the kernel does, and the next worker may get the request before the
/// watchdog has recorded the death. So a worker also reads what the other slots are executing: a dead one's slot says
/// so until the watchdog has recorded it.
package final class SuspectBoard {
    private let memory: SharedMemory
    private let ownSlot: Int
    private var generation: UInt64 = 0
    private var slotGeneration: UInt64 = .max
    /// Of the other workers, as they were at that generation.
    private var slots: [Int] = []
    private var executing: [(slot: Int, execution: Vitals.Execution)] = []

    private init(_ memory: consuming SharedMemory, ownSlot: Int) {
        self.memory = memory
        self.ownSlot = ownSlot
    }

    /// The board of the scoreboard in which `MESHER_SLOT` names a slot; nil when there is none or it has another layout.
    package static func inherited(runDirectory: String) -> SuspectBoard? {
        guard let text = getenv(ScoreboardFile.slotVariable), let slot = Int(String(cString: text)) else { return nil }
        return open(in: runDirectory, ownSlot: slot)
    }

    static func open(in runDirectory: String, ownSlot: Int) -> SuspectBoard? {
        guard let memory = ScoreboardFile.map(ScoreboardFile.path(in: runDirectory), isWritable: false) else {
            return nil
        }
        return SuspectBoard(memory, ownSlot: ownSlot)
    }

    /// Updates the suspects. Call it after the ready requests are known and before they are read: a request that killed
    /// a process reaches another only after that death.
    package func update(_ suspects: inout Suspects) {
        readSlots()
        // Read the slots first and then the records: what leaves the slots was recorded before.
        executing.removeAll(keepingCapacity: true)
        for slot in slots {
            if let execution = Vitals.execution(memory, ScoreboardFile.word(ofSlot: slot)) {
                executing.append((slot, execution))
            }
        }
        readRecords(&suspects.dead)
        if executing.isEmpty && suspects.elsewhere.isEmpty { return }
        suspects.elsewhere.removeAll(keepingCapacity: true)
        for (slot, execution) in executing {
            let isWrittenDown = suspects.dead.contains { $0.slot == slot && $0.since == execution.since }
            if !isWrittenDown { suspects.elsewhere.append(execution.request) }
        }
    }

    private func readSlots() {
        let current = memory.acquire(SuspectTable.slotGeneration)
        guard current != slotGeneration else { return }
        slotGeneration = current
        slots = (0..<ScoreboardFile.slotCount).prefix {
            memory[ScoreboardFile.word(ofSlot: $0) + SlotLayout.role] != 0
        }.filter {
            $0 != ownSlot && memory[ScoreboardFile.word(ofSlot: $0) + SlotLayout.role] == ProcessRole.worker.rawValue
        }
    }

    /// Waits for a record that is being written: the watchdog needs some nanoseconds, unless it was stopped just there.
    private func readRecords(_ dead: inout [Suspect]) {
        for _ in 0..<1_000 {
            let before = memory.acquire(SuspectTable.generation)
            if before == generation { return }
            if before & 1 != 0 { continue }
            let records = SuspectTable.read(memory).map(\.suspect)
            guard memory.acquire(SuspectTable.generation) == before else { continue }
            dead = records
            generation = before
            return
        }
    }
}
