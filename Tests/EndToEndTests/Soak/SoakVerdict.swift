import Foundation

/// What a soak has shown: conservation, liveness and honesty, and a table of what was done.
struct SoakVerdict: CustomStringConvertible {
    /// An event may be sent before a fault and answered behind the longest time that nginx and the workers wait.
    static let recoveryLimit = Duration.seconds(60)

    /// What takes longer is named.
    private static let slow = Duration.seconds(3)

    let state: Ledger.State
    /// Numbers of acknowledged events that are neither stored nor in the quarantine.
    private(set) var lost: [Int] = []
    /// Numbers of events that are stored more than once.
    private(set) var doubled: [Int] = []
    private(set) var rows = 0
    /// Rows that nobody sent, or that hold something else than was sent.
    private(set) var foreign = 0
    private(set) var quarantined = 0
    /// What is still as the faults have left it when all was brought back long ago.
    let remains: [String]

    /// Numbers that are looked up together.
    private static let slice = 100_000

    /// Looks at what is stored.
    init(_ state: Ledger.State, of project: Project, remains: [String]) throws {
        self.state = state
        self.remains = remains
        let aside = try Self.quarantined(in: project.stack)
        quarantined = aside.count
        for start in stride(from: 0, to: state.isAcknowledged.count, by: Self.slice) {
            let numbers = start..<min(start + Self.slice, state.isAcknowledged.count)
            let (first, last) = (SoakEvent(number: start).id, SoakEvent(number: numbers.upperBound - 1).id)
            let found = try project.stack.query(
                """
                SELECT ('x' || right(event_id::text, 12))::bit(48)::bigint, count(*) FROM events
                WHERE project_id = \(project.id) AND event_id BETWEEN '\(first)' AND '\(last)' GROUP BY event_id
                """
            ).map { (number: Int($0[0]) ?? -1, rows: Int($0[1]) ?? 0) }
            rows += found.reduce(0) { $0 + $1.rows }
            doubled += found.filter { $0.rows > 1 }.map(\.number)
            let stored = Set(found.map(\.number))
            lost += numbers.filter { state.isAcknowledged[$0] && !stored.contains($0) && !aside.contains($0) }
        }
        let wrong = try project.stack.query(
            """
            SELECT count(*), count(*) FILTER (WHERE message
                <> 'soak ' || ('x' || right(event_id::text, 12))::bit(48)::bigint OR payload->>'message' <> message)
            FROM events WHERE project_id = \(project.id)
            """)[0].map { Int($0) ?? 0 }
        foreign = wrong[0] - rows + wrong[1]
    }

    private static func quarantined(in stack: Stack) throws -> Set<Int> {
        let output = try stack.mesher("quarantine", "list", "--json")
        let items = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]] ?? []
        return Set(items.compactMap { ($0["event"] as? String).flatMap { Int($0.suffix(16), radix: 16) } })
    }

    var isConserved: Bool { lost.isEmpty && doubled.isEmpty && foreign == 0 }
    var isAlive: Bool {
        remains.isEmpty && state.faults.allSatisfy { $0.recovery.map { $0 < Self.recoveryLimit } ?? false }
    }
    var isHonest: Bool { state.violationCount == 0 }
    var isSound: Bool { isConserved && isAlive && isHonest }

    var description: String {
        var lines = [Self.line("fault", "count", "slowest recovery")]
        for kind in FaultKind.allCases {
            let faults = state.faults.filter { $0.kind == kind }
            let slowest = faults.map { $0.recovery.map(Self.seconds) ?? "never" }.max { $0.count < $1.count || $0 < $1 }
            lines.append(Self.line(kind.rawValue, "\(faults.count)", slowest ?? ""))
        }
        lines.append(Self.line("what clients met", "count", ""))
        for (name, count) in state.refusals.sorted(by: { $0.key < $1.key }) {
            lines.append(Self.line(name, "\(count)", ""))
        }
        for fault in state.faults where fault.recovery ?? .seconds(60) > Self.slow {
            let time = Self.seconds(fault.beganAt - state.faults[0].beganAt)
            lines.append(
                "slow: \(fault.kind.rawValue) at \(time), \(fault.recovery.map(Self.seconds) ?? "never"), "
                    + (fault.slowest ?? fault.missing.first ?? .single).rawValue)
        }
        return (lines + [summary]).joined(separator: "\n")
    }

    /// A line for each of the three, and what clients met that is against the contract.
    var summary: String {
        var lines: [String] = []
        lines.append(
            "conservation: \(Self.word(isConserved)), \(state.acknowledged) acknowledged, \(rows) rows, "
                + "\(quarantined) in the quarantine, \(lost.count) lost \(lost.prefix(10)), "
                + "\(doubled.count) twice \(doubled.prefix(10)), \(foreign) that nobody sent so")
        lines.append(
            "liveness: \(Self.word(isAlive)), \(state.faults.count { $0.recovery == nil }) faults without recovery \(remains)"
        )
        lines.append("honesty: \(Self.word(isHonest)), \(state.violationCount) answers against the contract")
        return (lines + state.violations).joined(separator: "\n")
    }

    private static func word(_ holds: Bool) -> String { holds ? "holds" : "BROKEN" }

    private static func seconds(_ duration: Duration) -> String {
        String(format: "%.2f s", duration / .seconds(1))
    }

    private static func line(_ columns: String...) -> String {
        let name = columns[0].padding(toLength: 34, withPad: " ", startingAt: 0)
        return columns.dropFirst().reduce(name) {
            $0 + String(repeating: " ", count: max(18 - $1.count, 1)) + $1
        }
    }
}
