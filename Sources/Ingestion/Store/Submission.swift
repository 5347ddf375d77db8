internal import Scoreboard
internal import StorageChannel

/// One request, from its acceptance to its answer.
final class Submission {
    /// What it waits for, with what it holds meanwhile.
    enum Stage: ~Copyable {
        /// Storage was asked whether it could store an event.
        case probing
        /// Its key is looked for, or storage was asked about it; the body is as received.
        case identifying(Body)
        /// Its project is known, and others go before it.
        case queued(OwnedBody)
        /// It may kill the process that handles it, and waits until it is alone.
        case suspected(OwnedBody)
        /// Its body or one of its results is being handled at this moment.
        case handling
        /// Its events were found, and Redis was asked how many of them are granted.
        case limiting(DecodedBody)
        /// Its events were handed to storage.
        case storing(HandedEvents)
        /// It is over, and holds nothing.
        case answered
    }

    /// A body as it was received, whose project is known.
    struct OwnedBody: ~Copyable {
        let body: Body
        let quota: ProjectQuota

        init(_ body: consuming Body, of quota: ProjectQuota) {
            self.body = body
            self.quota = quota
        }
    }

    /// Which request of the caller this is.
    let token: Int
    /// Increases with each request; part of the tickets of its events.
    let serial: UInt64
    let head: AcceptedHead
    /// When it is answered with 503 if nothing has come, in nanoseconds of the monotonic clock.
    let deadline: Int64
    /// Whether it is one plain event, whose size is a good measure of its cost.
    let isPlain: Bool
    private(set) var stage: Stage
    /// The bytes of its last stage in which it held any; 0 once it is answered.
    private(set) var bytes: Int
    /// The project that its body names.
    var claim = ProjectClaim.unnamed
    /// What identifies its body.
    var mark = BodyMark()
    /// What its answer says of the limit, once that is known.
    var quota: QuotaStatus?

    init(token: Int, serial: UInt64, head: AcceptedHead, _ stage: consuming Stage, deadline: Int64) {
        self.token = token
        self.serial = serial
        self.head = head
        self.deadline = deadline
        bytes = stage.bytes
        isPlain = bytes <= ProcessorShare.plainBytes && head.isPlain
        self.stage = stage
    }

    /// Begins its next stage.
    ///
    /// - Returns: by how many bytes it holds more.
    func enter(_ next: consuming Stage) -> Int {
        let growth = next.bytes - bytes
        bytes += growth
        stage = next
        return growth
    }

    /// Takes what its stage holds, in order to handle it. Until the next stage begins it counts as before.
    func beginHandling() -> Stage {
        var handled = Stage.handling
        swap(&handled, &stage)
        return handled
    }

    /// Takes the body as it was received; an empty one in a stage that has none.
    func takeBody() -> Body {
        switch beginHandling() {
        case .identifying(let body): body
        case .queued(let owned): owned.body
        case .suspected(let owned): owned.body
        default: Body(count: 0)
        }
    }

    /// Lets `use` look at the body as it was received; nil in a stage that has none.
    @discardableResult
    func withBody<Result, Failure>(
        _ use: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        switch stage {
        case .identifying(let body): try body.withUnsafeBytes(use)
        case .queued(let owned): try owned.body.withUnsafeBytes(use)
        case .suspected(let owned): try owned.body.withUnsafeBytes(use)
        default: nil
        }
    }

    var isAnswered: Bool {
        switch stage {
        case .answered: true
        default: false
        }
    }

    /// The project in whose turn it waits; nil while that is not known, and once its body is handled.
    var queuedQuota: ProjectQuota? {
        switch stage {
        case .queued(let owned): owned.quota
        case .suspected(let owned): owned.quota
        default: nil
        }
    }

    /// Its events, once they were found.
    var eventCount: Int {
        switch stage {
        case .limiting(let body): body.eventCount
        case .storing(let events): events.outcomes.count
        default: 0
        }
    }

    // MARK: Events at storage

    /// The frames that storage has not answered for; nil when there are none.
    var unansweredFrames: FrameBlock? {
        switch stage {
        case .storing(let events): events.frames
        default: nil
        }
    }

    /// Storage has answered for an event.
    ///
    /// - Returns: all its events, once storage has answered for each; they are being handled then.
    func settle(_ position: Int, _ result: StoreResult, retryAfter: UInt32) -> HandedEvents? {
        guard unansweredFrames != nil, case .storing(var events) = beginHandling() else { return nil }
        events.settle(position, result, retryAfter: retryAfter)
        if events.areSettled { return events }
        stage = .storing(events)
        return nil
    }

    /// The longest retry time that storage has named, in seconds.
    var retryAfter: UInt32 {
        switch stage {
        case .storing(let events): events.retryAfter
        default: 0
        }
    }

    // MARK: Tickets

    /// The bits of a ticket for an event's position, which bound the events of a submission.
    private static let positionBits: UInt64 = 20

    func ticket(_ position: Int) -> UInt64 {
        serial << Self.positionBits | UInt64(truncatingIfNeeded: position)
    }

    static func parts(of ticket: UInt64) -> (serial: UInt64, position: Int) {
        (ticket >> positionBits, Int(ticket & ((1 << positionBits) - 1)))
    }
}

extension Submission.Stage {
    /// What it holds of the request, counted against the bytes in flight.
    fileprivate var bytes: Int {
        switch self {
        case .identifying(let body): body.count
        case .queued(let owned): owned.body.count
        case .suspected(let owned): owned.body.count
        case .limiting(let body): body.count
        case .storing(let events): events.frames.count
        default: 0
        }
    }
}
