internal import Glibc
package import System

/// The sessions of a host, with what the operator sees of each: a file in the run directory, created by the watchdog. A
/// listener reserves a record in it before it forks, and the session reports there.
///
/// Listeners that a reload has replaced have sessions in it beside those of the current one. Permanent counters are in
/// the listener's slot of the scoreboard.
package final class SessionTable {
    private let memory: SharedMemory
    /// Where `reserve` looks when no record has been freed by this process.
    private var next = 0
    private var freed: [Int] = []

    private init(_ memory: consuming SharedMemory) {
        self.memory = memory
    }

    package static func path(in runDirectory: String) -> String {
        "\(runDirectory)/sessions"
    }

    /// Makes the file, empty; sessions do not outlive the watchdog.
    ///
    /// - Throws: `SystemError` when it cannot be made.
    package static func create(in runDirectory: String) throws(SystemError) -> SessionTable {
        let path = path(in: runDirectory)
        // A process that still maps the old file keeps that one.
        let file = try ReplacedFile(path)
        guard ftruncate(file.number, off_t(SessionLayout.size * SharedMemory.wordSize)) == 0 else {
            throw SystemError("ftruncate", path)
        }
        let memory = try SharedMemory.file(file.number, offset: 0, words: SessionLayout.size)
        memory[SessionLayout.magicWord] = SessionLayout.magic
        memory[SessionLayout.fingerprintWord] = SessionLayout.fingerprint
        try file.complete()
        return SessionTable(memory)
    }

    /// Opens the file; nil when there is none, when this user may not, or when another release has made it.
    package static func open(in runDirectory: String) -> SessionTable? {
        let number = Glibc.open(path(in: runDirectory), O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard number >= 0 else { return nil }
        let descriptor = Descriptor(adopting: number)
        var status = stat()
        guard fstat(number, &status) == 0, Int(status.st_size) == SessionLayout.size * SharedMemory.wordSize,
            let memory = try? SharedMemory.file(descriptor.number, offset: 0, words: SessionLayout.size),
            memory[SessionLayout.magicWord] == SessionLayout.magic,
            memory[SessionLayout.fingerprintWord] == SessionLayout.fingerprint
        else { return nil }
        return SessionTable(memory)
    }

    /// Removes the file: no sessions run any more that it could tell of.
    package static func remove(in runDirectory: String) {
        unlink(path(in: runDirectory))
    }

    /// A table that only this process and those forked from it see.
    package static func unseen() throws(SystemError) -> SessionTable {
        SessionTable(try SharedMemory.shared(words: SessionLayout.size))
    }

    // MARK: A listener's part

    /// The sessions that there are.
    package var count: Int { Int(clamping: memory[SessionLayout.inUse]) }

    /// Finds a record for a session that is about to be forked.
    ///
    /// - Parameter owner: the listener's slot of the scoreboard.
    /// - Returns: nil when all are taken.
    package func reserve(owner: Int) -> Int? {
        while let index = freed.popLast() ?? nextIndex() {
            guard memory.replace(0, with: UInt64(clamping: owner + 1), at: record(index) + SessionLayout.owner) else {
                continue
            }
            memory.raise(to: UInt64(index + 1), at: SessionLayout.used)
            memory.addAtOnce(1, at: SessionLayout.inUse)
            return index
        }
        return nil
    }

    private func nextIndex() -> Int? {
        guard next < SessionLayout.capacity else { return nil }
        next += 1
        return next - 1
    }

    /// The session of a record has ended.
    ///
    /// - Returns: whether it was open.
    @discardableResult
    package func free(_ index: Int) -> Bool {
        guard isRecord(index), memory[record(index) + SessionLayout.owner] != 0 else { return false }
        let wasOpen = memory[record(index) + SessionLayout.isOpen] == 1
        memory.announce(0, at: SessionLayout.projects + index)
        memory.announce(0, at: SessionLayout.claims + index)
        for word in 1..<SessionLayout.recordSize { memory[record(index) + word] = 0 }
        memory.addAtOnce(0 &- 1, at: SessionLayout.inUse)
        memory.publish(0, at: record(index) + SessionLayout.owner)
        freed.append(index)
        return wasOpen
    }

    /// A listener has ended, and its sessions with it.
    ///
    /// - Parameter owner: its slot of the scoreboard.
    /// - Returns: how many of them were open.
    package func free(owner: Int) -> Int {
        var open = 0
        for index in 0..<recordCount where memory[record(index) + SessionLayout.owner] == UInt64(clamping: owner + 1) {
            if free(index) { open += 1 }
        }
        return open
    }

    // MARK: A session's part

    /// A session begins.
    ///
    /// - Parameter wall: now, in microseconds since 1970.
    package func begin(_ index: Int, pid: Int32, wall: Int64) {
        guard isRecord(index) else { return }
        memory[record(index) + SessionLayout.since] = UInt64(clamping: wall)
        memory[record(index) + SessionLayout.pid] = UInt64(clamping: pid)
    }

    /// A session has learnt its project, and takes one of the places that the project has.
    ///
    /// Of several that ask for the last place at once, at most one gets it.
    ///
    /// - Parameter limit: the most sessions of one project.
    /// - Returns: false when the project has its full number.
    package func enter(_ index: Int, project: Int64, limit: Int) -> Bool {
        guard isRecord(index) else { return false }
        let wanted = UInt64(bitPattern: project)
        memory.announce(wanted, at: SessionLayout.projects + index)
        var found = 0
        for other in 0..<recordCount where memory.announced(at: SessionLayout.projects + other) == wanted { found += 1 }
        if found <= limit { return true }
        memory.announce(0, at: SessionLayout.projects + index)
        return false
    }

    /// A session replaces its claim of memory.
    ///
    /// Of several that ask for the last of it at once, at most one gets it.
    ///
    /// - Returns: false when it is too much; then the old claim stays. A smaller claim is never too much.
    package func claim(_ index: Int, bytes: Int, within bound: MemoryBound) -> Bool {
        guard isRecord(index) else { return false }
        let former = memory.announced(at: SessionLayout.claims + index)
        let wanted = UInt64(clamping: bytes)
        memory.announce(wanted, at: SessionLayout.claims + index)
        guard wanted > former else { return true }
        let project = memory.announced(at: SessionLayout.projects + index)
        var (own, all) = (0, 0)
        for other in 0..<recordCount {
            let claim = Self.plausible(memory.announced(at: SessionLayout.claims + other))
            guard claim > 0 else { continue }
            all += claim
            if memory.announced(at: SessionLayout.projects + other) == project { own += claim }
        }
        if bound.allows(project: own, all: all) { return true }
        memory.announce(former, at: SessionLayout.claims + index)
        return false
    }

    /// The memory that all sessions have claimed, in bytes.
    package var claimed: Int {
        (0..<recordCount).reduce(0) { $0 + Self.plausible(memory[SessionLayout.claims + $1]) }
    }

    /// A claim written by another process, bounded so that the sum cannot overflow.
    private static func plausible(_ claim: UInt64) -> Int { Int(min(claim, 1 << 40)) }

    /// A session has answered the upgrade.
    ///
    /// - Parameter peer: the client's address, at most 48 bytes.
    package func opened(_ index: Int, peer: String) {
        guard isRecord(index) else { return }
        memory.store(peer, at: record(index) + SessionLayout.peer, words: SessionLayout.peerWords)
        memory[record(index) + SessionLayout.isOpen] = 1
    }

    /// The session of a record ends by itself, and has counted that.
    package func closed(_ index: Int) {
        guard isRecord(index) else { return }
        memory[record(index) + SessionLayout.isOpen] = 0
    }

    /// A message was answered.
    ///
    /// - Parameter accepted: the events of it that were.
    package func answered(_ index: Int, accepted: Int) {
        guard isRecord(index) else { return }
        memory.add(1, at: record(index) + SessionLayout.messages)
        memory.add(UInt64(clamping: accepted), at: record(index) + SessionLayout.events)
    }

    /// A session has used the processors for so many nanoseconds more.
    package func used(_ index: Int, nanoseconds: Int64, now: Int64) {
        guard isRecord(index) else { return }
        let word = record(index) + SessionLayout.recentUse
        let before = RecentUse(word: memory[word]).nanoseconds(now: now)
        memory[word] = RecentUse(nanoseconds: before + Double(max(nanoseconds, 0)), now: now).word
    }

    /// For how many nanoseconds the sessions of each project have used the processors lately: whoever uses a share s of a
    /// processor, s × `SessionShare.lifetime`. Sessions that have done nothing for long are not looked at.
    package func recentUse(now: Int64) -> [Int64: Double] {
        var uses: [Int64: Double] = [:]
        for index in 0..<recordCount {
            let use = RecentUse(word: memory[record(index) + SessionLayout.recentUse]).nanoseconds(now: now)
            if use > 0 { uses[Int64(bitPattern: memory[SessionLayout.projects + index]), default: 0] += use }
        }
        return uses
    }

    // MARK: Reading

    /// All sessions, by their records.
    package func readings() -> [SessionReading] {
        (0..<recordCount).compactMap { index in
            let start = record(index)
            guard memory[start + SessionLayout.owner] != 0, memory[start + SessionLayout.pid] != 0 else { return nil }
            return SessionReading(
                pid: Int32(truncatingIfNeeded: memory[start + SessionLayout.pid]),
                project: Int64(bitPattern: memory[SessionLayout.projects + index]),
                since: Int64(clamping: memory[start + SessionLayout.since]),
                isOpen: memory[start + SessionLayout.isOpen] == 1,
                messages: memory[start + SessionLayout.messages], events: memory[start + SessionLayout.events],
                peer: memory.text(at: start + SessionLayout.peer, words: SessionLayout.peerWords))
        }
    }

    /// The process of a record; nil when no session has it.
    package func process(ofRecord index: Int) -> Int32? {
        guard isRecord(index), memory[record(index) + SessionLayout.owner] != 0 else { return nil }
        let pid = Int32(truncatingIfNeeded: memory[record(index) + SessionLayout.pid])
        return pid > 0 ? pid : nil
    }

    /// How many records have ever been in use.
    package var recordCount: Int { min(Int(clamping: memory[SessionLayout.used]), SessionLayout.capacity) }

    private func record(_ index: Int) -> Int { SessionLayout.record(index) }

    private func isRecord(_ index: Int) -> Bool { (0..<SessionLayout.capacity).contains(index) }
}

/// What one session says at one moment.
package struct SessionReading: Equatable, Sendable {
    package let pid: Int32
    /// 0 while its key is not known.
    package let project: Int64
    /// When it began, in microseconds since 1970.
    package let since: Int64
    /// Whether its upgrade was answered.
    package let isOpen: Bool
    package let messages: UInt64
    /// Events that were accepted.
    package let events: UInt64
    /// The client's address.
    package let peer: String
}
