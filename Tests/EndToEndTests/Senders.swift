import Foundation
import Synchronization

/// Clients that send single events without pause, each with an id of its own, and remember which were accepted. wrk, the
/// load of other tests, only counts.
final class Senders: Sendable {
    private struct Seen {
        var accepted: Set<String> = []
        var statuses: [Int: Int] = [:]
    }

    private let seen = Mutex(Seen())
    private let isOver = Atomic(false)
    private let group = DispatchGroup()

    /// Starts some; every eighth event of each is larger than nginx keeps in memory.
    init(_ project: Project, count: Int = 4) {
        for _ in 0..<count {
            let thread = Thread { [self] in
                run(project)
                group.leave()
            }
            group.enter()
            thread.start()
        }
    }

    /// Stops them and returns when each has its last answer.
    func stop() {
        isOver.store(true, ordering: .relaxed)
        group.wait()
    }

    var accepted: Set<String> { seen.withLock { $0.accepted } }

    /// What was answered; 0 is no answer.
    var statuses: Set<Int> { seen.withLock { Set($0.statuses.keys) } }

    func count(of status: Int) -> Int { seen.withLock { $0.statuses[status] ?? 0 } }

    private func run(_ project: Project) {
        let padding = String(repeating: "x", count: 100_000)
        var number = 0
        while !isOver.load(ordering: .relaxed) {
            number += 1
            let id = UUID().uuidString.lowercased().filter { $0 != "-" }
            let extra = number.isMultiple(of: 8) ? #","extra":{"padding":"\#(padding)"}"# : ""
            let body = #"{"message":"m","level":"info","event_id":"\#(id)"\#(extra)}"#
            let status = (try? project.post(body).status) ?? 0
            seen.withLock { seen in
                seen.statuses[status, default: 0] += 1
                if status == 202 { seen.accepted.insert(id) }
            }
        }
    }
}
