/// The projects that have used most of their rate limit, as far as one process has heard: eight at most, however many there
/// are.
package struct NearLimits: Equatable, Sendable {
    /// What Redis said of a project's window last.
    package struct Project: Equatable, Sendable {
        package let id: Int64
        /// The events that were granted in this window.
        package let used: UInt32
        /// The events that one window grants.
        package let limit: UInt32
        /// When the window ends, in nanoseconds of the monotonic clock.
        package let endsAt: Int64

        package init(id: Int64, used: UInt32, limit: UInt32, endsAt: Int64) {
            self.id = id
            self.used = used
            self.limit = limit
            self.endsAt = endsAt
        }

        /// Part of the limit that is used, 0 to 1.
        package var share: Double { limit == 0 ? 1 : min(Double(used) / Double(limit), 1) }
    }

    static let room = 8

    /// In no order.
    package private(set) var projects: [Project] = []

    package init() {}

    /// A project's window is so now. It takes the place of its last one, of one that has ended, or of the project that has used
    /// least of its limit.
    package mutating func note(_ project: Project, now: Int64) {
        if let place = projects.firstIndex(where: { $0.id == project.id }) {
            projects[place] = project
            return
        }
        guard projects.count == Self.room else { return projects.append(project) }
        guard let place = projects.indices.min(by: { rank(of: $0, now) < rank(of: $1, now) }),
            rank(of: place, now) < project.share
        else { return }
        projects[place] = project
    }

    private func rank(of place: Int, _ now: Int64) -> Double {
        projects[place].endsAt <= now ? -1 : projects[place].share
    }

    /// The projects of several processes, the nearest to its limit first. Of one that several know, the latest window counts, and
    /// in that the most events.
    package static func merged(_ lists: [[Project]], now: Int64) -> [Project] {
        var latest: [Int64: Project] = [:]
        for project in lists.joined() where project.endsAt > now {
            guard let known = latest[project.id], known.used >= project.used else {
                latest[project.id] = project
                continue
            }
        }
        let sorted = latest.values.sorted { ($0.share, $1.id) > ($1.share, $0.id) }
        return Array(sorted.prefix(room))
    }
}
