internal import Glibc
package import System

/// The scoreboard as its owner, the watchdog, sees it: a file in the run directory with a header, a slot per process
/// and the suspects.
///
/// It outlives its owner. A watchdog that finds one with its own layout continues with it, so that no counter is reset
/// when a watchdog is killed.
package final class ScoreboardFile {
    /// 256 workers twice, for a reload, and the others. A slot that was never used takes no space on disk.
    package static let slotCount = 640
    /// The variable that tells a child its slot's number.
    package static let slotVariable = "MESHER_SLOT"

    private static let pageSize = SlotLayout.size * SharedMemory.wordSize
    static let size = pageSize * (slotCount + 1) + SuspectTable.size * SharedMemory.wordSize
    /// "MESHERSB"
    private static let magic: UInt64 = 0x4d45_5348_4552_5342

    enum Header {
        static let magic = 0
        static let fingerprint = 1
        static let reloadSerial = 8
        static let reloadAt = 9
        /// 1 failed, 2 succeeded.
        static let reloadResult = 10
        /// Four words for each subject.
        static let health = 16
    }

    let memory: SharedMemory
    /// The owner's copy of what it has written into each used slot. A process maps its whole slot, and one that was
    /// taken over may write anything there, so the owner never reads it back.
    private var own: [[UInt64]]

    private init(_ memory: consuming SharedMemory) {
        let start = Self.word
        // Used slots come first; reading the others would allocate their pages.
        let used = (0..<Self.slotCount).prefix { memory[start($0) + SlotLayout.role] != 0 }
        own = used.map { memory.copy(start($0)..<start($0) + SlotLayout.ownerWords) }
        self.memory = memory
    }

    package static func path(in runDirectory: String) -> String {
        "\(runDirectory)/scoreboard"
    }

    static func offset(ofSlot index: Int) -> Int { (index + 1) * pageSize }

    /// The first word of a slot.
    static func word(ofSlot index: Int) -> Int { (index + 1) * SlotLayout.size }

    /// Opens the scoreboard of a run directory, or makes a new one when there is none or it has another layout. All
    /// processes in it count as ended: children do not outlive their watchdog.
    ///
    /// - Throws: `SystemError` when the file cannot be made.
    package static func open(in runDirectory: String) throws(SystemError) -> ScoreboardFile {
        let path = path(in: runDirectory)
        if let file = adopt(path) {
            for index in file.own.indices { file.end(index) }
            return file
        }
        return try create(path)
    }

    /// The slots of a run directory, for readers; none when there is no scoreboard.
    package static func readings(in runDirectory: String) -> [SlotReading] {
        adopt(path(in: runDirectory))?.readings() ?? []
    }

    static func adopt(_ path: String) -> ScoreboardFile? {
        guard let memory = map(path, isWritable: true) else { return nil }
        return ScoreboardFile(memory)
    }

    /// The memory of a scoreboard; nil when there is none at a path, or one of another layout.
    static func map(_ path: String, isWritable: Bool) -> SharedMemory? {
        let number = Glibc.open(path, (isWritable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW)
        guard number >= 0 else { return nil }
        let descriptor = Descriptor(adopting: number)
        var status = stat()
        guard fstat(number, &status) == 0, Int(status.st_size) == size,
            let memory = try? SharedMemory.file(
                descriptor.number, offset: 0, words: size / SharedMemory.wordSize, isWritable: isWritable),
            memory[Header.magic] == magic, memory[Header.fingerprint] == SlotLayout.fingerprint
        else { return nil }
        return memory
    }

    /// Replaces it: a process that still maps the old file keeps that one.
    private static func create(_ path: String) throws(SystemError) -> ScoreboardFile {
        let file = try ReplacedFile(path)
        guard ftruncate(file.number, off_t(size)) == 0 else { throw SystemError("ftruncate", path) }
        let memory = try SharedMemory.file(file.number, offset: 0, words: size / SharedMemory.wordSize)
        memory[Header.magic] = magic
        memory[Header.fingerprint] = SlotLayout.fingerprint
        try file.complete()
        return ScoreboardFile(memory)
    }

    // MARK: Slots

    /// A slot for a process that is about to be started.
    package struct Claim: Equatable, Sendable {
        /// To be given in `MESHER_SLOT`.
        package let slot: Int
        /// The process that had it before has ended, and this one takes its place.
        package let wasWaiting: Bool
    }

    /// Finds a slot for a process that is about to be started, and resets everything in it except the counters. A slot
    /// that the same place had before continues counting; if its process is still alive, during a reload, the place
    /// gets another slot.
    ///
    /// - Parameter name: of the place, at most 32 bytes of UTF-8.
    /// - Returns: nil when all slots are taken.
    package func claim(_ role: ProcessRole, name: String) -> Claim? {
        guard let index = vacant(name) else { return nil }
        let wasWaiting = state(of: index) == .waiting
        write(role.rawValue, SlotLayout.role, of: index)
        for (place, word) in SharedMemory.words(name, SlotLayout.nameWords).enumerated() {
            write(word, SlotLayout.name + place, of: index)
        }
        for word in [SlotLayout.pid, SlotLayout.started, SlotLayout.startAt] { write(0, word, of: index) }
        memory[Self.word(ofSlot: index) + SlotLayout.heartbeat] = 0
        clearGauges(index)
        write(SlotLayout.fingerprint, SlotLayout.fingerprintWord, of: index)
        set(.starting, of: index)
        memory.publish(memory[SuspectTable.slotGeneration] &+ 1, at: SuspectTable.slotGeneration)
        return Claim(slot: index, wasWaiting: wasWaiting)
    }

    /// The process of a slot is running.
    package func started(_ index: Int, pid: Int32, wall: Int64) {
        write(UInt64(clamping: pid), SlotLayout.pid, of: index)
        write(UInt64(clamping: wall), SlotLayout.started, of: index)
    }

    package func set(_ state: ProcessState, of index: Int) {
        write(state.rawValue, SlotLayout.state, of: index)
    }

    /// The process of a slot has ended and is started again, now or later.
    ///
    /// - Parameter startAt: when, in microseconds since 1970.
    package func restart(_ index: Int, _ cause: RestartCause, startAt: Int64) {
        countRestart(index, cause)
        write(UInt64(clamping: startAt), SlotLayout.startAt, of: index)
        write(0, SlotLayout.pid, of: index)
        clearGauges(index)
        set(.waiting, of: index)
    }

    /// The process of a slot takes the place of another.
    package func countRestart(_ index: Int, _ cause: RestartCause) {
        guard own.indices.contains(index) else { return }
        let word = SlotLayout.restarts + cause.place
        write(own[index][word] &+ 1, word, of: index)
    }

    /// Open sessions have died with the listener of a slot.
    package func countKilledSessions(_ count: Int, of index: Int) {
        guard own.indices.contains(index) else { return }
        let word = Self.word(ofSlot: index) + SlotLayout.sessionsClosed + SessionEnding.killed.rawValue
        memory.addAtOnce(UInt64(clamping: count), at: word)
    }

    /// The slot of a place that waits for its restart says when that is.
    ///
    /// - Parameter until: in microseconds since 1970.
    package func pause(_ name: String, until: Int64) {
        for index in slots(named: name) where state(of: index) == .waiting {
            write(UInt64(clamping: until), SlotLayout.startAt, of: index)
        }
    }

    /// The process of a slot has ended, and the slot is free for another of the same place.
    package func end(_ index: Int) {
        write(0, SlotLayout.pid, of: index)
        clearGauges(index)
        set(.ended, of: index)
    }

    package func vitals(of index: Int) -> Vitals? {
        own.indices.contains(index) ? Vitals(memory, slot: index) : nil
    }

    package func reading(of index: Int) -> SlotReading? {
        own.indices.contains(index) ? SlotReading(memory, slot: index, own: own[index]) : nil
    }

    /// All slots that were ever used.
    package func readings() -> [SlotReading] {
        own.indices.compactMap { reading(of: $0) }
    }

    private func write(_ value: UInt64, _ word: Int, of index: Int) {
        guard own.indices.contains(index) else { return }
        own[index][word] = value
        memory[Self.word(ofSlot: index) + word] = value
    }

    /// A place's waiting slot comes before the slots it has left, so that it never seems to wait twice.
    private func vacant(_ name: String) -> Int? {
        let named = slots(named: name)
        for wanted in [ProcessState.waiting, .ended] {
            if let index = named.first(where: { state(of: $0) == wanted }) { return index }
        }
        guard own.count < Self.slotCount else { return nil }
        own.append([UInt64](repeating: 0, count: SlotLayout.ownerWords))
        return own.count - 1
    }

    private func slots(named name: String) -> [Int] {
        own.indices.filter { SlotReading.name(own[$0]) == name }
    }

    private func state(of index: Int) -> ProcessState? {
        ProcessState(rawValue: own[index][SlotLayout.state])
    }

    private func clearGauges(_ index: Int) {
        guard own.indices.contains(index) else { return }
        let start = Self.word(ofSlot: index)
        let words = [SlotLayout.executingSince, SlotLayout.inHand, SlotLayout.lastPartition, SlotLayout.bonds]
        for word in words + [SlotLayout.degradation, SlotLayout.accepts] { memory[start + word] = 0 }
        for place in Dependency.allCases.indices { memory[start + SlotLayout.dependencies + place] = 0 }
    }
}
