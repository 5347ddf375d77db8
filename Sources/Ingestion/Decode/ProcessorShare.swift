internal import Scoreboard
internal import StorageChannel

/// How bodies of many projects share one process. Each project is charged for the processor time of its bodies, even of
/// refused and empty ones. The project that has used least is next.
package struct ProcessorShare: Sendable {
    /// Nanoseconds of work on bodies after which the loop checks for new requests.
    package var slice: Int64 = 4_000_000
    /// A project that has waited longer than this many nanoseconds loses its last request when there is no more room.
    package var patience: Int64

    package init(patience: Int64) {
        self.patience = patience
    }

    /// Up to this size a plain event is charged `perRequest` and `perByte`: it is not worth asking the kernel.
    static let plainBytes = 16 << 10
    /// Nanoseconds that a request takes besides its body.
    static let perRequest: Int64 = 10_000
    /// Nanoseconds that it takes to parse a byte of JSON.
    static let perByte: Int64 = 4
}

extension IngestionMachine {
    /// All requests without a key before their body is decoded count as one more project, with a number that none has.
    static var strangers: Int64 { 0 }

    /// Whether bodies wait for their turn.
    package var hasWork: Bool { !waiting.isEmpty }

    /// Whether the next body may be costly while requests of other projects are on their way through Redis and storage.
    /// Those come back within a millisecond or two, and would wait for that body each time.
    package var shouldYield: Bool {
        guard let ((submission, _), project) = waiting.first, !submission.isPlain else { return false }
        return submissions.values.contains { $0.eventCount > 0 && $0.mark.project != project }
    }

    /// Handles waiting bodies for one slice of time. Then further requests may have arrived, and some of them go first.
    ///
    /// - Returns: the bytes of those that go on, decoded.
    package mutating func work(now: Int64) -> Int {
        guard let share = options.share else { return 0 }
        var bytes = 0
        var cost: Int64 = 0
        while cost < share.slice, let ((submission, quota), _) = waiting.popFirst() {
            guard isInHand(submission) else { continue }
            cost += work(on: submission, quota, now: now)
            guard quota != nil else { continue }
            bytes += submission.bytes
            // They are parsed as soon as Redis grants them.
            cost += Int64(submission.bytes) * ProcessorShare.perByte
        }
        return bytes
    }

    /// Prepares one submission, and charges its project. If its project is unknown, looks for its key.
    ///
    /// - Returns: nanoseconds of processor time.
    mutating func work(on submission: Submission, _ quota: ProjectQuota?, now: Int64) -> Int64 {
        let received = Int64(submission.bytes)
        let begun = submission.isPlain ? nil : options.processorTime()
        if let quota { prepare(submission, quota, now: now) } else { identify(submission, now: now) }
        let cost = begun.map { options.processorTime() - $0 } ?? received * ProcessorShare.perByte
        waiting.charge(quota?.project ?? Self.strangers, cost + ProcessorShare.perRequest)
        return cost
    }

    /// Charges a project for the time since a moment.
    mutating func charge(_ project: Int64, since begun: Int64) {
        guard options.share != nil else { return }
        waiting.charge(project, options.processorTime() - begun)
    }

    /// There is no room for further requests: the project with the most waiting, if it has waited too long, loses its
    /// last request.
    ///
    /// - Parameter byBytes: room for bytes is needed, not for requests.
    /// - Returns: false when there is no such project.
    package mutating func makeRoom(byBytes: Bool, now: Int64) -> Bool {
        guard let share = options.share else { return false }
        let moment = now - share.patience
        while let (submission, _) = waiting.popLast(byBytes: byBytes, waitingSince: moment) {
            guard isInHand(submission) else { continue }
            refuse(submission, .unavailable)
            return true
        }
        return false
    }
}
