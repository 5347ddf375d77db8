/// Which days must go so that all of them together are no larger than a limit: the oldest first, never today's or a later one,
/// and none that is held. A pure value.
struct RetentionSize: Equatable, Sendable {
    /// A day's table.
    struct Day: Equatable, Sendable {
        let name: String
        let isHeld: Bool
        /// Whether it is over.
        let isPast: Bool
        /// Bytes.
        let size: Int64
    }

    /// The names of the days that are to be dropped, oldest first.
    private(set) var due: [String] = []
    /// Days that would be, and are held.
    private(set) var held: [String] = []
    /// How much is still over the limit, in bytes.
    private(set) var excess: Int64 = 0

    /// - Parameters:
    ///   - days: oldest first.
    ///   - limit: bytes; 0 is no limit.
    init(_ days: [Day], limit: Int64) {
        guard limit > 0 else { return }
        excess = max(days.reduce(0) { $0 + $1.size } - limit, 0)
        for day in days where day.isPast && excess > 0 {
            if day.isHeld {
                held.append(day.name)
            } else {
                due.append(day.name)
                excess = max(excess - day.size, 0)
            }
        }
    }
}
