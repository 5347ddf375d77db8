/// What waits for one process, by project. The project that has used least of the process is next.
///
/// A project does not save up time in which it did not wait: when it comes back it begins where the others are. So a
/// project that keeps the process busy, now or an hour ago, delays the others by no more than its current item. This is
/// start-time fair queueing.
struct FairQueue<Item> {
    /// The items of a project, in the order of their arrival.
    private struct Line {
        var items: [(item: Item, bytes: Int, since: Int64)] = []
        /// The first of `items` that was not taken.
        var first = 0
        /// The bytes of all that wait.
        var bytes = 0
        /// What the project has used.
        var used: Int64

        var count: Int { items.count - first }
        var oldest: Int64 { items[first].since }
    }

    private var lines: [Int64: Line] = [:]
    /// The usage of projects that are ahead of `reached`; all others count as having used `reached`.
    private var ahead: [Int64: Int64] = [:]
    /// The usage of the project that was last served.
    private var reached: Int64 = 0
    /// The size of `ahead` from which it is worth removing projects.
    private var forgetsAt = fewProjects
    private static var fewProjects: Int { 256 }

    var isEmpty: Bool { lines.isEmpty }
    /// The projects of which something waits.
    var projectCount: Int { lines.count }

    /// A project's item waits.
    ///
    /// - Parameters:
    ///   - bytes: what it holds.
    ///   - now: nanoseconds of the monotonic clock.
    mutating func append(_ item: Item, of project: Int64, bytes: Int, now: Int64) {
        let used = max(ahead[project] ?? 0, reached)
        lines[project, default: Line(used: used)].items.append((item, bytes, now))
        lines[project]?.bytes += bytes
    }

    /// The first item of the project that has used least; of several that of the one that has waited longest.
    var first: (item: Item, project: Int64)? {
        let next =
            lines.count == 1
            ? lines.first
            : lines.min { ($0.value.used, $0.value.oldest) < ($1.value.used, $1.value.oldest) }
        return next.map { ($0.value.items[$0.value.first].item, $0.key) }
    }

    /// Takes the first item.
    mutating func popFirst() -> (item: Item, project: Int64)? {
        guard let project = first?.project, var line = lines.removeValue(forKey: project) else { return nil }
        let (item, bytes, _) = line.items[line.first]
        line.first += 1
        line.bytes -= bytes
        if line.first >= 64, line.first * 2 >= line.items.count {
            line.items.removeFirst(line.first)
            line.first = 0
        }
        reached = max(reached, line.used)
        if line.count > 0 { lines[project] = line }
        return (item, project)
    }

    /// Removes the last item of the project whose waiting items hold most bytes, or of the one with most items; nil
    /// when no project's first item has waited since before `moment`.
    mutating func popLast(byBytes: Bool, waitingSince moment: Int64) -> Item? {
        let late = lines.filter { $0.value.oldest < moment }
        let most = byBytes ? late.max { $0.value.bytes < $1.value.bytes } : late.max { $0.value.count < $1.value.count }
        guard let project = most?.key, let (item, bytes, _) = lines[project]?.items.popLast() else { return nil }
        lines[project]?.bytes -= bytes
        if lines[project]?.count == 0 { lines[project] = nil }
        return item
    }

    /// A project has used so many nanoseconds.
    mutating func charge(_ project: Int64, _ cost: Int64) {
        let used = max(ahead[project] ?? 0, reached) + max(cost, 0)
        ahead[project] = used
        lines[project]?.used = used
        // Projects that the others have caught up with count as all do.
        if ahead.count > forgetsAt {
            ahead = ahead.filter { $0.value > reached }
            forgetsAt = max(Self.fewProjects, 2 * ahead.count)
        }
    }
}
