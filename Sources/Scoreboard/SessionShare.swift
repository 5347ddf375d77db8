internal import Glibc

/// How much of the processors a host's sessions may use: half of them together, so that workers, storage and PostgreSQL
/// have the rest. Projects that want more than their share get equal shares, and wait between messages.
package struct SessionShare: Sendable {
    /// Nanoseconds by which a steady use is multiplied, see `RecentUse`.
    package static let lifetime = RecentUse.halfLife / M_LN2
    /// Maximum nanoseconds of one pause.
    static let longestRest = 250e6

    /// The processors that all sessions may use together.
    let processors: Double

    /// - Parameter processors: those of the host.
    package init(processors: Int) {
        self.processors = Double(max(processors, 1)) / 2
    }

    /// The projects that use more than their share, whose sessions wait.
    ///
    /// - Parameter uses: what the sessions of each project have used lately, in nanoseconds.
    package func heldBack(_ uses: [Int64: Double]) -> [Int64] {
        var room = processors * Self.lifetime
        var others = uses.count
        for use in uses.values.sorted() where use < room / Double(others) {
            room -= use
            others -= 1
        }
        guard others > 0 else { return [] }
        let share = room / Double(others)
        return uses.filter { $0.value > share }.map(\.key).sorted()
    }

    /// How long a project's sessions accept no message.
    ///
    /// - Parameter uses: what the sessions of each project have used lately, in nanoseconds.
    /// - Returns: nanoseconds; 0 while it is within its share.
    package func rest(of project: Int64, _ uses: [Int64: Double]) -> Int64 {
        let use = uses[project] ?? 0
        var room = processors * Self.lifetime
        var others = uses.count
        // What projects with smaller needs leave over goes to the others.
        for smaller in uses.values.sorted() where smaller < use && smaller < room / Double(others) {
            room -= smaller
            others -= 1
        }
        let share = room / Double(max(others, 1))
        guard use > share else { return 0 }
        // After this time its usage has decayed to its share.
        return Int64(min(log(use / share) * Self.lifetime, Self.longestRest))
    }
}
