/// The state of several hosts: a line each, and their sum.
struct HostsReport: CustomStringConvertible {
    /// What is added up.
    private struct Counts {
        var accepted: UInt64 = 0
        var discarded: UInt64 = 0
        var rate = 0.0
        var streams = 0
        var spooled: UInt64 = 0
        var quarantined = 0

        mutating func add(_ document: StatusDocument) {
            accepted &+= document.events.accepted
            for count in document.events.discarded.values { discarded &+= count }
            for process in document.processes {
                rate += process.requestsPerSecond
                if process.role == "stream" { streams &+= process.inHand }
            }
            spooled &+= document.storage.spool?.events ?? 0
            quarantined &+= document.storage.spool?.quarantine ?? 0
        }

        init(_ documents: [StatusDocument]) {
            for document in documents { add(document) }
        }
    }

    private let hosts: [(name: String, state: RemoteHost.State)]
    private let now: Double

    /// - Parameter now: seconds since 1970.
    init(_ hosts: [(name: String, state: RemoteHost.State)], now: Double) {
        self.hosts = hosts
        self.now = now
    }

    /// Whether every host has said how it is.
    var isComplete: Bool { documents.count == hosts.count }

    private var documents: [StatusDocument] { hosts.compactMap { try? $0.state.get() } }

    var description: String {
        var table = TextTable([
            "HOST": .left, "READY": .left, "ACCEPTED": .right, "DISCARDED": .right, "REQUESTS/S": .right,
            "STREAMS": .right, "SPOOL": .right, "OLDEST": .right, "QUARANTINE": .right, "DEGRADED": .left,
        ])
        for (name, state) in hosts {
            switch state {
            case .success(let document):
                let oldest = document.storage.spool?.oldestReceivedAt.map { "\(StatusReport.whole(now - $0)) s" }
                table.append(
                    [name, document.storage.ready ? "yes" : "NO"] + Self.cells(Counts([document]), oldest)
                        + [Self.degraded(document)])
            case .failure(let error): table.append([name, "?"] + Array(repeating: nil, count: 7) + ["\(error)"])
            }
        }
        let ready = documents.filter(\.storage.ready).count
        table.append(["all", "\(ready) of \(hosts.count)"] + Self.cells(sum, nil) + [nil])
        return "\(table)\n"
    }

    /// The same for programs.
    var json: JSON {
        let objects = hosts.map { name, state -> JSON in
            switch state {
            case .success(let document):
                let missing = document.storage.degraded.map { JSON.string($0) }
                return .members(
                    [
                        ("host", .string(name)), ("ready", .boolean(document.storage.ready)),
                        ("degraded", .array(missing)),
                    ]
                        + Self.members(Counts([document])))
            case .failure(let error): return .object(["host": .string(name), "error": .string("\(error)")])
            }
        }
        return .object(["hosts": .array(objects), "sum": .members(Self.members(sum))])
    }

    private var sum: Counts { Counts(documents) }

    private static func cells(_ counts: Counts, _ oldest: String?) -> [String?] {
        [
            "\(counts.accepted)", "\(counts.discarded)", "\((counts.rate * 10).rounded() / 10)", "\(counts.streams)",
            "\(counts.spooled)", oldest, "\(counts.quarantined)",
        ]
    }

    private static func members(_ counts: Counts) -> [(String, JSON)] {
        [
            ("accepted", .verbatim("\(counts.accepted)")), ("discarded", .verbatim("\(counts.discarded)")),
            ("requests_per_second", .verbatim("\((counts.rate * 10).rounded() / 10)")),
            ("streams", .integer(Int64(counts.streams))), ("spool_events", .verbatim("\(counts.spooled)")),
            ("quarantine", .integer(Int64(counts.quarantined))),
        ]
    }

    /// What is impaired, and what does not answer.
    private static func degraded(_ document: StatusDocument) -> String? {
        let words = document.storage.degraded
        return words.isEmpty ? nil : words.joined(separator: ", ")
    }
}
