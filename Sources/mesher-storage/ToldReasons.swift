/// The reasons of a fault that were logged: each one once while it lasts, and the latest again every hour.
struct ToldReasons {
    /// Nanoseconds after which the latest is logged again.
    static let reminder: Int64 = 3_600_000_000_000
    /// Reasons that are told one by one: one that never says the same twice is not told each time.
    private static let limit = 10

    private(set) var latest = ""
    private var told: Set<String> = []
    private var remindAt: Int64 = .max

    /// Whether nothing was told since it last ended.
    var isEmpty: Bool { told.isEmpty }

    /// It is wrong, for this reason.
    ///
    /// - Returns: whether to tell that now.
    mutating func tells(_ reason: String, now: Int64) -> Bool {
        latest = reason
        let isNew = told.count < Self.limit && told.insert(reason).inserted
        guard isNew || remindAt <= now else { return false }
        remindAt = now + Self.reminder
        return true
    }

    /// It is still wrong, for the latest reason.
    mutating func tellsAgain(now: Int64) -> Bool {
        !isEmpty && tells(latest, now: now)
    }

    /// It is right again.
    mutating func end() {
        self = ToldReasons()
    }
}
