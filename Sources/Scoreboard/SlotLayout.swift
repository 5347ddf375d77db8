/// Where everything is in a slot, in words from its beginning. What the watchdog writes comes first, then what the process
/// itself does, each in a cache line of its own.
enum SlotLayout {
    /// One page, so that a process can map its own slot and no other.
    static let size = 512

    // Written by the watchdog: the first `ownerWords`.
    static let ownerWords = 32
    static let fingerprintWord = 0
    static let role = 1
    /// Microseconds since 1970.
    static let started = 2
    static let pid = 3
    static let state = 4
    /// When a process in state `waiting` is started again, in microseconds since 1970.
    static let startAt = 5
    /// UTF-8, filled up with zeros.
    static let name = 8
    static let nameWords = 4
    /// A word for each `RestartCause`.
    static let restarts = 16

    // Written by the process, of whatever role: every slot has all words. `ProcessSlotTests` has how many a name has.
    /// Nanoseconds of the monotonic clock.
    static let heartbeat = 32
    /// Nanoseconds of the monotonic clock; 0 while it handles nothing.
    static let executingSince = 33
    static let executingHigh = 34
    static let executingLow = 35
    static let inHand = 36
    /// The body's mark, of what is executing.
    static let executingProject = 37
    static let executingSize = 38
    static let executingHash = 39
    /// A word for each `Dependency`: 0 unknown, 1 down, 2 up.
    static let dependencies = 40
    /// What the spool's file system has left, and one more; 0 for unknown.
    static let spoolRoom = 44
    static let spoolFiles = 45
    /// Why the spool cannot be used, errno(3); 0 when it can.
    static let spoolFault = 46
    /// Microseconds between this host's clock and PostgreSQL's, for storage, or Redis's, for a worker, and one more; 0 for
    /// unknown.
    static let clockDifference = 47
    static let rateLimitFallbacks = 48
    static let droppedLogLines = 49
    /// Microseconds since 1970.
    static let lastCommit = 50
    /// Days since 1970-01-01; 0 for unknown.
    static let lastPartition = 51
    static let spoolEvents = 52
    static let spoolBytes = 53
    static let spoolLimit = 54
    /// Microseconds since 1970; 0 while the spool is empty.
    static let spoolOldest = 55
    static let quarantine = 56
    static let spooled = 57
    static let delivered = 58
    static let quarantined = 59
    /// What is impaired for storage, as `Degradation` bits.
    static let degradation = 60
    /// Whether an event can be stored: 0 unknown, 1 no, 2 yes.
    static let accepts = 61
    /// What the process has given up; the listener's sessions say it in its slot.
    static let bonds = 63
    static let outcomes = 64
    static let outcomeCount = 32
    /// What clients say they dropped, by why, see `ClientDiscardLabels`.
    static let clientDiscards = 96
    static let sessionsOpened = 112
    static let streamMessages = 113
    /// A word for each of `RefusedUpgrade.names`.
    static let upgradesRefused = 114
    /// The most bytes that sessions together hold of what their peers have sent or not read; 0 for unknown.
    static let sessionMemoryLimit = 121
    /// When the file of keys last had all keys as PostgreSQL has them, in microseconds since 1970; 0 before.
    static let keysSavedAt = 122
    /// Projects whose bodies wait for their turn.
    static let projectsWaiting = 123
    /// A word for each `SessionEnding`.
    static let sessionsClosed = 128
    /// A histogram has a word for each of its classes, and one for the sum.
    static let requestDuration = 192
    static let batchSize = 224
    static let commitDuration = 256
    /// Of each project in `NearLimits` its id, used, limit and the end of its window; an id of 0 for none.
    static let nearLimits = 288
    /// The place of route r and status s is r × `statusCount` + s.
    static let requests = 320

    static let statusCount = 16

    /// Tells layouts apart: a file or a slot with another one belongs to another release. FNV-1a over all that decides
    /// what a word means.
    static let fingerprint: UInt64 = {
        let lists =
            [OutcomeLabels.reasons, RequestStatus.names, RequestRoute.allCases.map(\.name)]
            + [ClientDiscardLabels.reasons]
            + [RefusedUpgrade.statuses.map(String.init), SessionEnding.allCases.map(\.name)]
            + [RestartCause.allCases.map(\.rawValue), Dependency.allCases.map(\.name)]
            + [Histogram.requestDuration, .batchSize, .commitDuration].map { $0.bounds.map { String($0) } }
        let text = "\(version) \(size) " + lists.map { $0.joined(separator: " ") }.joined(separator: ";")
        return text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }()

    /// Changed with the place or the meaning of a word. A longer list of names changes the fingerprint by itself.
    private static let version = 13
}

extension CaseIterable where Self: Equatable {
    /// Its place in the list of all, which is its place in a slot.
    var place: Int {
        var place = 0
        for other in Self.allCases {
            if other == self { break }
            place += 1
        }
        return place
    }
}
