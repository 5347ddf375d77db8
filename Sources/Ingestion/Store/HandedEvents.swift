internal import StorageChannel

/// The events of one request behind the limit: what became of each, and the frames of those that storage was handed.
struct HandedEvents {
    /// What is known of an event.
    enum Outcome {
        /// Storage was handed it under this id, and has not answered.
        case pending(UInt128)
        case accepted(UInt128)
        case refused(Refusal)
    }

    /// In the order of the request.
    private(set) var outcomes: [Outcome] = []
    /// Resent when storage was restarted.
    let frames: FrameBlock
    /// What an envelope says about itself, for its answer.
    let envelope: EnvelopeSummary?
    /// The longest retry time that storage named, in seconds.
    private(set) var retryAfter: UInt32 = 0
    private var outstanding = 0

    init(_ outcomes: [Outcome], frames: FrameBlock = FrameBlock(), of envelope: EnvelopeSummary? = nil) {
        self.outcomes = outcomes
        self.frames = frames
        self.envelope = envelope
        for case .pending in outcomes { outstanding += 1 }
    }

    /// Whether storage has answered for each.
    var areSettled: Bool { outstanding == 0 }

    /// Storage has answered for the event at a position; an answer for none, or a second one, is ignored.
    mutating func settle(_ position: Int, _ result: StoreResult, retryAfter seconds: UInt32) {
        guard position < outcomes.count, case .pending(let id) = outcomes[position] else { return }
        switch result {
        case .durable: outcomes[position] = .accepted(id)
        case .unavailable: outcomes[position] = .refused(.unavailable)
        case .rateLimited: outcomes[position] = .refused(.rateLimited)
        }
        if result != .durable { retryAfter = max(retryAfter, seconds) }
        outstanding -= 1
    }
}
