/// Where everything is in the file of the sessions, in words from its beginning: a header of one page, two words for
/// each session with its project and the memory that it has claimed, a record for each session.
///
/// Projects and claims are stored apart because sessions read all of them.
enum SessionLayout {
    /// The most sessions of a host: those of the listener that accepts, and those of the ones it has replaced.
    static let capacity = 65_536

    // The header.
    static let magicWord = 0
    static let fingerprintWord = 1
    /// How many records are in use.
    static let inUse = 2
    /// How many were ever in use. The rest is untouched, and reading it would allocate its pages.
    static let used = 3

    static let projects = SlotLayout.size
    /// Bytes.
    static let claims = projects + capacity
    static let records = claims + capacity
    static let recordSize = 16
    static let size = records + capacity * recordSize

    // A record.
    /// One more than the scoreboard slot of its listener; 0 while it is free.
    static let owner = 0
    static let pid = 1
    /// Microseconds since 1970.
    static let since = 2
    static let messages = 3
    /// Events that were accepted.
    static let events = 4
    /// 0 until the upgrade is answered, then 1.
    static let isOpen = 5
    /// UTF-8, filled up with zeros.
    static let peer = 8
    static let peerWords = 6
    /// What it has used of the processors lately, see `RecentUse`.
    static let recentUse = 14

    /// "MESHERSE"
    static let magic: UInt64 = 0x4d45_5348_4552_5345
    /// Changed with the place or the meaning of a word.
    static let fingerprint: UInt64 = 3

    static func record(_ index: Int) -> Int { records + index * recordSize }
}
