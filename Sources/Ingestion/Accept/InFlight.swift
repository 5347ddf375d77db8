internal import Scoreboard

/// The requests that were received and not answered, with the bytes they hold.
struct InFlight: ~Copyable {
    private var submissions: [UInt64: Submission] = [:]
    private var lastSerial: UInt64 = 0
    /// The lowest serial that may still be in flight.
    private var oldestSerial: UInt64 = 1
    /// The bytes of all bodies and frames in flight.
    private(set) var bytes = 0

    var count: Int { submissions.count }

    subscript(serial: UInt64) -> Submission? { submissions[serial] }

    /// The number of the next request.
    mutating func nextSerial() -> UInt64 {
        lastSerial += 1
        return lastSerial
    }

    mutating func admit(_ submission: Submission) {
        submissions[submission.serial] = submission
        bytes += submission.bytes
    }

    /// A request's next stage begins.
    mutating func move(_ submission: Submission, to stage: consuming Submission.Stage) {
        bytes += submission.enter(stage)
    }

    /// A request is answered: references to it no longer hold its bytes.
    mutating func remove(_ submission: Submission) {
        guard submissions.removeValue(forKey: submission.serial) != nil else { return }
        bytes += submission.enter(.answered)
    }

    /// The one that came first. Deadlines are in this order, except those of readiness checks.
    mutating func oldest() -> Submission? {
        while oldestSerial <= lastSerial {
            if let submission = submissions[oldestSerial] { return submission }
            oldestSerial += 1
        }
        return nil
    }

    /// All, in the order in which they came.
    var inOrder: [Submission] { (oldestSerial..<(lastSerial + 1)).compactMap { submissions[$0] } }

    /// Whether any has events behind its body, other than those of one project.
    func hasEvents(ofOthersThan project: Int64) -> Bool {
        submissions.values.contains { $0.eventCount > 0 && $0.mark.project != project }
    }
}
